# syntax=docker/dockerfile:1
# An image of Debian with git and a shell, for plain processes and for repositories. `cargo xtask image` makes one from scratch, of the
# program alone, without pulling another image.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin windlass && ls -l target/release/windlass

FROM debian:bookworm-slim
# ca-certificates for TLS connections to webhooks, registries and OIDC providers; git for reading repositories.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /var/lib/windlass --create-home windlass
COPY --from=build /src/target/release/windlass /usr/local/bin/windlass
USER windlass
WORKDIR /var/lib/windlass
ENV WINDLASS_LISTEN=0.0.0.0:8080 WINDLASS_DATA_DIR=/var/lib/windlass/data
VOLUME /var/lib/windlass
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["windlass", "healthcheck"]
ENTRYPOINT ["windlass"]
CMD ["serve"]
