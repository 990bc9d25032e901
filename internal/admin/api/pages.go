package api

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// home is the page at the base path.
type home struct {
	page   *template.Template
	style  template.CSS
	policy string
}

// pages registers what browsers ask for.
func (s *server) pages() error {
	page, style, policy, err := pageTemplate("home.html")
	if err != nil {
		return err
	}
	s.home = home{page: page, style: style, policy: policy}
	s.mux.HandleFunc("GET /api/docs", func(w http.ResponseWriter, r *http.Request) { s.docs.ServeHTTP(w, r) })
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { s.drawHome(w, http.StatusOK, "") })
	s.mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { s.drawHome(w, http.StatusOK, "") })
	s.mux.HandleFunc("POST /login", s.loginForm)
	return nil
}

func (s *server) drawHome(w http.ResponseWriter, status int, message string) {
	var out bytes.Buffer
	err := s.home.page.Execute(&out, map[string]any{
		"Style": s.home.style, "Version": s.cfg.Version, "Users": !s.cfg.People.Open(), "Message": message,
	})
	if err != nil {
		s.cfg.Log.Error("the page cannot be drawn", zap.Error(err))
		write(w, problemOf(fmt.Errorf("draw the page: %w", err)))
		return
	}
	w.Header().Set("Content-Security-Policy", s.home.policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the client may be gone; there is nobody to tell
}

// loginForm logs a browser in: its token is a cookie that scripts of the page cannot read and other sites do not send.
func (s *server) loginForm(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.drawHome(w, http.StatusBadRequest, "The form could not be read.")
		return
	}
	session, err := s.enter(r.Context(), r.PostFormValue("username"), r.PostFormValue("password"), state.PlatformDashboard, r.RemoteAddr)
	if err != nil {
		p := problemOf(err)
		maps.Copy(w.Header(), p.GetHeaders())
		if errors.Is(err, people.ErrNoUsers) {
			p.Status = http.StatusNotImplemented
		}
		s.drawHome(w, p.Status, p.Message)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: session.Token, Path: s.cfg.BasePath + "/", Expires: session.Expires,
		MaxAge: int(time.Until(session.Expires).Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
	http.Redirect(w, r, s.cfg.BasePath+"/", http.StatusSeeOther)
}
