# The base has the version of the `node` package in package.json, which the tests run with; a test keeps them equal.
# It is named by tag. For builds that can be repeated, add the digest that your registry gives for it:
#   docker buildx imagetools inspect node:26.10.0-trixie-slim
# and FROM node:26.10.0-trixie-slim@sha256:…

FROM node:26.10.0-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Scripts are for development (the `node` package, `prepare`); nothing that runs in production has one.
RUN npm ci --omit=dev --ignore-scripts

FROM node:26.10.0-trixie-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src/protocol ./src/protocol
COPY client ./client
COPY web ./web
RUN node web/build.js

FROM node:26.10.0-trixie-slim
ENV NODE_ENV=production HOST=0.0.0.0 STORAGE_URL=sqlite:/data/chat.db KNOWLEDGE_PATH=/data/knowledge.db
WORKDIR /app
# A new named volume takes its owner from the image.
RUN mkdir /data && chown 10001:10001 /data && chmod 700 /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
COPY knowledge ./knowledge
COPY --from=page /app/web/dist ./web/dist
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1 and handles SIGTERM, with no shell or npm between it and the signal.
CMD ["node", "--import", "./src/compile-cache.js", "src/main.ts"]
