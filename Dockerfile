# docker build --build-arg VERSION=… --build-arg REVISION=… -t service-discovery .

FROM docker.io/library/node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY bench bench
COPY demo demo
COPY libs libs
COPY scripts scripts
RUN npm run build

FROM docker.io/library/node:24-bookworm-slim
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="service-discovery" \
      org.opencontainers.image.description="One service-discovery API in front of the registry you already run" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /src/dist/bundle /app
# Registries are never guessed: REGISTRY_TYPE is to be named.
ENV ENVIRONMENT=production \
    NODE_ENV=production \
    MALLOC_ARENA_MAX=1
# Where DATA_DIR may point: a volume here is the server's own to write to.
RUN install -d -o 1000 -g 1000 /data
WORKDIR /app
USER 1000:1000
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "/app/healthy.js"]
ENTRYPOINT ["node", "--max-semi-space-size=4", "--optimize-for-size", "/app/main.js"]
