# The relay node as an image of one program: no shell, no package manager, not root.
#   docker build --file infra/container/relay.Dockerfile --tag tresen-relay .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package tresen-relay --bins \
    && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/tresen-relay /usr/bin/tresen-relay
# An empty folder of the user that the program runs as: a new volume takes over its owner.
COPY --from=build --chown=nonroot:nonroot /data /data
USER nonroot
VOLUME /data
EXPOSE 7844/udp 7844/tcp 7845/udp 7845/tcp
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tresen-relay", "--data", "/data"]
CMD ["run"]
