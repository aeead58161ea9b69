//! What tonic wrote for a side that is tonic's.

/// The module `protos`, with what the build script of this crate had tonic write.
#[macro_export]
macro_rules! tonic_protos {
    () => {
        #[allow(
            clippy::all,
            clippy::allow_attributes_without_reason,
            clippy::doc_markdown,
            dead_code,
            missing_docs,
            unreachable_pub,
            unused_qualifications,
            reason = "tonic's generated code"
        )]
        mod protos {
            include!(concat!(env!("OUT_DIR"), "/mod.rs"));
        }
    };
}
