# The relay node as an image of one program: no shell, no package manager, no libraries, not root.
#   docker build --file infra/container/relay.Dockerfile --tag tresen-relay .
# The same of a program that was built here, without an image of Rust ('cargo xtask image --engine docker' does both):
#   docker build --file infra/container/relay.Dockerfile --target prebuilt --tag tresen-relay target/relay-image
FROM scratch AS runs
USER 65532:65532
EXPOSE 7844/udp 7844/tcp 7845/udp 7845/tcp
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tresen-relay", "--data", "/data"]
CMD ["run"]

FROM runs AS prebuilt
COPY usr /usr
COPY etc /etc
# An empty folder of the user that the program runs as: a new volume takes over its owner.
COPY --chown=65532:65532 data /data
VOLUME /data

FROM rust:1.95-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates musl-tools \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
# The C library is in it.
RUN target="$(uname -m)-unknown-linux-musl" \
    && cargo build --release --locked --target "$target" --package tresen-relay --bins \
    && mkdir --parents /image/usr/bin /image/etc/ssl/certs /image/data \
    && cp "target/$target/release/tresen-relay" /image/usr/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/

FROM runs
COPY --from=build /image/usr /usr
COPY --from=build /image/etc /etc
COPY --from=build --chown=65532:65532 /image/data /data
VOLUME /data
