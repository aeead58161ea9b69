//! The fakes of every fixture, compiled as strictly as a user could ask for, in another crate than the
//! one that has the services.

#![deny(warnings, missing_docs, clippy::all, unused_qualifications)]
#![allow(
    clippy::unwrap_used,
    clippy::doc_markdown,
    reason = "a test fails by panicking, and the comments of protos are not written for rustdoc"
)]

// What fixtures name by `crate`: types of the user, which are where the layer is.
#[allow(unused_imports, reason = "no method may have them")]
use apibase_tests::{Timestamp, domain, money, whole};

macro_rules! fixtures {
    ($($name:ident)*) => {
        $(
            /// The fakes of this fixture.
            #[allow(clippy::module_inception, reason = "fixtures are named like their packages")]
            pub mod $name {
                mod __protos {
                    #[allow(unreachable_pub, reason = "as in `apibase::include_fakes!`")]
                    pub use apibase_tests::$name::*;
                }

                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/fakes.rs"));
            }
        )*

        const FIXTURES: &[&str] = &[$(stringify!($name)),*];
    };
}

fixtures! {
    api_names
    comments
    corners
    custom_options
    deadlines
    deprecated
    detached
    entity_bytes
    entity_bytes_buffers
    entity_calls
    entity_collections
    entity_empty
    entity_enums
    entity_fields
    entity_file
    entity_google
    entity_grades
    entity_integers
    entity_jiff
    entity_json
    entity_names
    entity_nested
    entity_oneofs
    entity_order
    entity_own_types
    entity_patch
    entity_required
    entity_std_duration
    entity_system_time
    entity_texts
    entity_time
    entity_time_crate
    entity_uuid
    entity_uuid_buffers
    entity_whole
    entity_wrappers
    enums
    errors_basic
    errors_calls
    errors_empty
    errors_names
    errors_newer
    errors_older
    errors_shared
    errors_texts
    extern_path
    formatting
    keywords
    kinds
    limits
    no_package
    parameters
    policies
    prelude
    proto2
    protos
    rpc_names
    rpc_types
    service_names
    services_only
    shapes
    split_files
    tonic_echo
    tonic_names
    unary
    versions
    well_known
}

/// Fakes beside the packages, as a crate with services has them for its own tests.
#[allow(dead_code, reason = "the packages are there for their fakes")]
mod beside {
    include!(concat!(env!("OUT_DIR"), "/kinds/mod.rs"));
    apibase::include_fakes!("kinds/fakes.rs", super::super);
}

#[test]
fn fakes_stand_beside_the_packages_or_in_another_crate() {
    use beside::fakes::kinds::api::FakeKindService as Beside;

    fn serves_beside<S: beside::kinds::api::KindServicer>(_: &S) {}
    fn serves_elsewhere<S: apibase_tests::kinds::kinds::api::KindServicer>(_: &S) {}
    serves_beside(&Beside::new());
    serves_elsewhere(&kinds::kinds::api::FakeKindService::new());
}

#[test]
fn every_fixture_is_here() {
    let folders = std::fs::read_dir("fixtures").unwrap();
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(FIXTURES.contains(&name.as_str()), "{name}");
    }
}
