# The image of the operator. Released images pin both bases by digest:
#
#   docker build \
#     --build-arg DENO_IMAGE=denoland/deno@sha256:… \
#     --build-arg BASE_IMAGE=debian@sha256:… \
#     --build-arg VERSION=… --build-arg REVISION=… --build-arg CREATED=… .
#
# Without a registry, `pintle test --deployed` and `deno task image` build an image of files of this machine alone.
ARG DENO_IMAGE=denoland/deno:2.9.6
# Any small base with glibc.
ARG BASE_IMAGE=debian:bookworm-slim

# --- dev: the bundle beside a full Deno, started anew when a file of it changes (Tiltfile). Needs nothing but its base.
FROM ${DENO_IMAGE} AS dev
# The folder itself too: a live update takes files of it away.
RUN mkdir -p /app && chown 65532:65532 /app
WORKDIR /app
COPY --chown=65532:65532 dist/app/ /app/
ENV DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1
USER 65532:65532
ENTRYPOINT ["deno", "run", "-q", "--no-prompt", "--no-config", "--no-lock", "--watch", "--inspect=0.0.0.0:9229", \
  "--allow-env", "--allow-net", "--allow-read", "--allow-write", "--allow-run", "/app/main.js"]
CMD ["run"]

# --- build: one native executable.
FROM ${DENO_IMAGE} AS build
WORKDIR /src
COPY deno.json deno.lock ./
RUN deno install --frozen --quiet
COPY . .
ARG REVISION=
ARG SOURCE_DATE_EPOCH=
RUN deno task compile

# --- runtime: glibc, the executable, nobody's privileges; nothing is installed, and the root may be read-only.
FROM ${BASE_IMAGE} AS runtime
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="pintle" \
  org.opencontainers.image.description="Replicates Secrets and ConfigMaps to namespaces" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
COPY --from=build /src/dist/pintle /pintle
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/pintle"]
CMD ["run"]
