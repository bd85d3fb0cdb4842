# syntax=docker/dockerfile:1

# Both stages are Debian 12, so that the libraries found when linking are those found when running.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libuv1-dev libwebsockets-dev libssl-dev libpq-dev libnghttp2-dev libsecp256k1-dev libqrencode-dev libcurl4-openssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift Package.resolved* ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product leyden \
    && swift build -c release --static-swift-stdlib --product lnsim \
    && install -D -t /out/bin "$(swift build -c release --show-bin-path)/leyden" "$(swift build -c release --show-bin-path)/lnsim"

FROM debian:12-slim AS base
# libwebsockets opens its libuv glue at run time; without libwebsockets-evlib-uv it links and then does not start.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl libcurl4 libnghttp2-14 libpq5 libqrencode4 libsecp256k1-1 libssl3 libuv1 \
        libwebsockets17 libwebsockets-evlib-uv libxml2 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/leyden --create-home --shell /usr/sbin/nologin leyden
USER leyden
WORKDIR /var/lib/leyden

# The simulated network: docker build --target lnsim .
FROM base AS lnsim
COPY --from=build /out/bin/lnsim /usr/bin/lnsim
VOLUME /var/lib/leyden
ENTRYPOINT ["lnsim"]

FROM base AS leyden
COPY --from=build /out/bin/leyden /usr/bin/leyden
COPY public /usr/share/leyden/public
ENV LEYDEN_LISTEN=0.0.0.0:9780 LEYDEN_INTERNAL_LISTEN=127.0.0.1:9781 LEYDEN_GRPC_LISTEN=0.0.0.0:19090 \
    LEYDEN_GRPC_REQUIRE_API_KEY=true \
    LEYDEN_PUBLIC_DIR=/usr/share/leyden/public
EXPOSE 9780 19090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:9781/health"]
ENTRYPOINT ["leyden"]
CMD ["run"]
