package wire

import "time"

// LoginBody is the body of POST /api/auth/login.
type LoginBody struct {
	Username string `json:"username" maxLength:"256"`
	Password string `json:"password" maxLength:"1024"`
	// Platform is cli or sdk; anything else, and nothing, means cli.
	Platform string `json:"platform,omitempty"`
}

// Login answers a login.
type Login struct {
	Token     string    `json:"token"`
	Username  string    `json:"username"`
	ExpiresAt time.Time `json:"expires_at"`
	Role      string    `json:"role"`
}

// Me answers GET /api/auth/me.
type Me struct {
	Username  string     `json:"username"`
	Platform  string     `json:"platform"`
	Role      string     `json:"role" enum:"viewer,operator,admin,instance"`
	Scopes    []string   `json:"scopes" nullable:"false" doc:"What the role may do: read, change, admin, report, stream"`
	ExpiresAt *time.Time `json:"expires_at" doc:"When the token ends; null on a server without users"`
}

// Done answers what has nothing else to say.
type Done struct {
	OK bool `json:"ok"`
}

// TokenBody is the body of POST /api/tokens.
type TokenBody struct {
	Name string `json:"name,omitempty" maxLength:"63" doc:"Stands as the actor in the audit; default: the role" pattern:"^[A-Za-z0-9][A-Za-z0-9._@-]*$"`
	Role string `json:"role" enum:"viewer,operator,admin,instance"`
	TTL  string `json:"ttl,omitempty" doc:"How long it lives: a duration such as 90d or 1y; default 1y"`
}

// Token is a machine token as listed. Its text is told once, when it is made.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// NewToken answers POST /api/tokens.
type NewToken struct {
	Token
	Text string `json:"token" doc:"The token itself; it is not shown again"`
	Place
}
