# The server as a container. Build: docker build -t mcplane .
# It needs DATABASE_URL and JWT_SECRET_KEY (each also as NAME_FILE). Its file system may be read-only: only /data is
# ever written, and with Postgres and a JWT secret of your own not even that. How to run it: README, compose.yaml.

ARG NODE_VERSION=24.21.0

# What is installed without the tools of development. No package runs a script at installation: the native parts
# (argon2) come ready-made for each platform.
FROM node:${NODE_VERSION}-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-slim
LABEL org.opencontainers.image.title="mcplane" \
      org.opencontainers.image.description="Model Control Plane: one GraphQL API in front of every model provider" \
      org.opencontainers.image.licenses="MIT"
# Fewer arenas: glibc's allocator would keep some 70 MB more of what passes through it.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    HOST=0.0.0.0 \
    PORT=4000 \
    MCPLANE_DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=10001 --group=10001 --mode=700 /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY migrations migrations
COPY src src
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 4000
STOPSIGNAL SIGTERM
# Whether the process answers at all. Whether it should get traffic is /readyz, for a load balancer to ask.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself and no shell or npm before it: the first process is the one that hears the signals.
CMD ["node", "src/main.ts"]
