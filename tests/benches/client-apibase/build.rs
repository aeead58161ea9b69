//! Our layer of the echo service.

fn main() -> Result<(), protoc_gen_apibase::Error> {
    let protos = "../client-server/protos";
    protoc_gen_apibase::configure().compile(
        &[format!("{protos}/bench/echo.proto")],
        &[protos, "../../../protos"],
    )
}
