# What a person can run. CI runs `.ci/run`, which has the same steps.

# This list.
default:
    @just --list

# All that has to hold before a change lands.
ci:
    .ci/run

# The tests, all or those that match.
test *filter:
    cargo test --workspace {{filter}}

# Formatting, clippy, features, docs.
check:
    .ci/run fmt clippy features doc

# Any bytes at all, where a peer's bytes come in; each target for so long (cargo install cargo-fuzz).
fuzz seconds="60":
    for target in frames head metadata timeout; do \
        cargo +nightly fuzz run $target -- -max_total_time={{seconds}} || exit 1; \
    done

# The example: every RPC of the items service, called.
demo:
    cargo run -p items -- demo

# The README's first service, in a new crate.
first-service:
    .ci/first-service

# Goes through the snapshots that changed, one by one (cargo install cargo-insta).
review:
    cargo insta review

# buf's rules for the protos.
lint:
    .ci/run lint

# The Connect project's conformance suite against our server and our client (needs Go); `--trace` shows what was sent.
conformance *args:
    scripts/conformance run {{args}}

# HTTP/2 itself, by h2spec against the example's server (needs Go).
h2spec:
    scripts/h2spec run

# The layer of one of Google's APIs, generated and compiled: pubsub or spanner.
googleapis api="pubsub":
    scripts/googleapis {{api}}

# One unary call beside raw tonic, errors, mappers beside ones by hand, and the generator on Google's protos.
bench: bench-unary bench-errors bench-mappers bench-generator

# Time and allocations of a call: ours and tonic's, each built alone, in turn.
bench-unary rounds="20":
    scripts/bench-unary {{rounds}}

# Throughput, CPU and latency of our server beside tonic's and axum's JSON; also: allocations, instructions, memory.
bench-server *arguments:
    scripts/bench-server {{arguments}}

# CPU, time and latency of a call by our stub beside tonic's client; also: allocations, instructions.
bench-client *arguments:
    scripts/bench-client {{arguments}}

# Our server with all five interceptors beside raw tonic, both called with a token; also: allocations, instructions.
bench-interceptors *arguments:
    scripts/bench-interceptors {{arguments}}

# Peers that come, call, cancel and go, for so long; the server is then as it was before. The tests have 20 seconds of it.
soak minutes="60":
    SOAK_SECONDS=$(({{minutes}} * 60)) cargo test -p apibase-tests --test soak -- --nocapture

# Our server at twice its capacity: goodput, how fast it refuses, whether health answers.
overload seconds="10":
    scripts/overload {{seconds}}

# What errors cost: calls that go well beside an error that can't be made, ones that fail beside tonic's.
bench-errors rounds="20":
    scripts/bench-errors {{rounds}}

# Instructions of generated mappers and of ones by hand, by callgrind (apt-get install valgrind).
bench-mappers times="200":
    scripts/bench-mappers {{times}}

# Files and megabytes of proto per second, and peak memory.
bench-generator:
    scripts/bench-generator

# Licences, advisories and duplicates of what we depend on (cargo install cargo-deny).
deny:
    cargo deny check
