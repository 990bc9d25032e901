# One image per program, each with nothing in it but that program:
#   docker build --target waygate-authz -t waygate-authz .
# Targets: waygate-authz, waygate-admin, waygate (the command line), waygate-demo (a service to try it with).
FROM golang:1.26.8 AS build
WORKDIR /src
# The modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What --version tells; .git stays outside: --build-arg VERSION=$(git describe --tags --always)
ARG VERSION
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
RUN ldflags="-s -w -X github.com/waygate/waygate/internal/config.stamped=$VERSION" \
 && go build -ldflags="$ldflags" -o /out/ ./cmd/... \
 && go build -ldflags="$ldflags" -o /out/waygate-demo ./test/demo \
 && mkdir /empty

# No shell and no package manager; runs as user 65532.
FROM gcr.io/distroless/static-debian12:nonroot AS base
# Where sockets and snapshots go. A volume mounted here takes over that the user may write to it.
COPY --from=build --chown=65532:65532 /empty /run/waygate
COPY --from=build --chown=65532:65532 /empty /var/lib/waygate

FROM base AS waygate-authz
COPY --from=build /out/waygate-authz /usr/local/bin/waygate-authz
EXPOSE 9001 9002
ENTRYPOINT ["/usr/local/bin/waygate-authz"]

FROM base AS waygate-admin
COPY --from=build /out/waygate-admin /usr/local/bin/waygate-admin
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/waygate-admin"]

FROM base AS waygate-demo
COPY --from=build /out/waygate-demo /usr/local/bin/waygate-demo
EXPOSE 8081
ENTRYPOINT ["/usr/local/bin/waygate-demo"]

FROM base AS waygate
COPY --from=build /out/waygate /usr/local/bin/waygate
ENTRYPOINT ["/usr/local/bin/waygate"]
