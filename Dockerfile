# syntax=docker/dockerfile:1
# One image for every role: `docker run waybill serve order`.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package waybill \
    && install -D target/release/waybill /out/usr/local/bin/waybill \
    && install -d -o 65532 -g 65532 /out/data

# glibc, CA certificates and nothing to log in to; the user is 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/ /
COPY LICENSE NOTICE /usr/share/doc/waybill/
COPY services/waybill/data/LICENSE-MS-PL /usr/share/doc/waybill/
WORKDIR /data
VOLUME /data
# gRPC, metrics and health, HTTP (gateway).
EXPOSE 7000 9000 8080
ENTRYPOINT ["/usr/local/bin/waybill"]
CMD ["--help"]
