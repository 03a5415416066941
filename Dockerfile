# The program in an image of its own: built on Debian, run on Debian slim by a user who owns nothing but /data.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential pkg-config libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin proximity

FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libssl3t64 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /data proximity
COPY --from=build /src/target/release/proximity /usr/local/bin/proximity
USER proximity
ENV PROXIMITY_DATA_DIR=/data
VOLUME /data
EXPOSE 8765
# SIGTERM parks what is under way.
STOPSIGNAL SIGTERM
ENTRYPOINT ["proximity"]
CMD ["serve"]
