# What people run by hand; .ci/run is what a change must pass. `just` lists the recipes.

tools := justfile_directory() / "target/tools/bin"
export PATH := tools + ":" + env("PATH")

_default:
    @just --list --unsorted

# Boots the whole mesh in one process, for daily use.
up *args:
    cargo run --release -- up {{ args }}

# Runs a trading company's 830 orders through the mesh.
demo *args:
    cargo run --release -- demo {{ args }}

# Measures, for ten minutes: `just bench --postgres-url postgres://user@host/postgres --svg bench.svg`.
bench *args:
    cargo build --release -p waybill -p waybill-bench
    cargo run --release -p waybill-bench -- {{ args }}

# Runs every test, on SQLite.
test *args:
    cargo test --workspace {{ args }}

# Runs every test, on SQLite and on a PostgreSQL server of its own.
test-pg *args:
    .ci/with-postgres cargo test --workspace {{ args }}

# Formats, then checks what needs no test: clippy, contracts, dependencies, words.
lint: _tools
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings
    .ci/contracts
    cargo deny check bans licenses sources
    .ci/own-words

# Looks for known vulnerabilities; needs the advisory database, so it is not part of the build.
advisories: _tools
    cargo deny check advisories

# Does everything a change must pass.
check:
    bash .ci/run

# Writes the committed OpenAPI document, after a contract has changed.
openapi:
    cargo run --quiet -- openapi > services/gateway/openapi.json

# Calls every operation of a mesh of its own with good and bad input, and fails on answers that are not described.
rest-contract:
    .ci/rest-contract

_tools:
    @.ci/install-tools
