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

macro_rules! fakes {
    ($($group:ident { $($(#[$doc:meta])* $name:ident,)* })*) => {
        $($(
            $(#[$doc])*
            #[allow(clippy::module_inception, reason = "fixtures are named like their packages")]
            pub mod $name {
                mod __protos {
                    #[allow(unreachable_pub, reason = "as in `apibase::include_fakes!`")]
                    pub use apibase_tests::$name::*;
                }

                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/fakes.rs"));
            }
        )*)*
    };
}

apibase_tests::fixtures!(fakes);

/// Fakes beside the packages, as a crate with services has them for its own tests.
#[allow(dead_code, reason = "the packages are there for their fakes")]
mod beside {
    include!(concat!(env!("OUT_DIR"), "/kinds/mod.rs"));
    apibase::include_fakes!("kinds/fakes.rs", super::super);
}

/// Those of another tree of the same build script.
#[allow(dead_code, reason = "the packages are there for their fakes")]
mod named {
    include!(concat!(env!("OUT_DIR"), "/kinds/mod.rs"));
    apibase::include_fakes!("kinds/fakes.rs");
}

#[test]
fn fakes_stand_beside_the_packages_or_in_another_crate() {
    use beside::fakes::kinds::api::FakeKindService as Beside;
    use named::fakes::kinds::api::FakeKindService as Named;

    fn serves_beside<S: beside::kinds::api::KindServicer>(_: &S) {}
    fn serves_elsewhere<S: apibase_tests::kinds::kinds::api::KindServicer>(_: &S) {}
    fn serves_named<S: named::kinds::api::KindServicer>(_: &S) {}
    serves_beside(&Beside::new());
    serves_named(&Named::new());
    serves_elsewhere(&kinds::kinds::api::FakeKindService::new());
}
