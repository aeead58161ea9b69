//! Server reflection: whatever is given as descriptors.
//!
//! A failure prints the case, shrunk, and the seed that repeats it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reflection_client;

use std::sync::LazyLock;

use apibase::Reflection;
use apibase::prost::Message;
use apibase::prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
};
use apibase_tests::custom_options::custom_options::api as custom_options;
use apibase_tests::proto2::proto2::api as proto2;
use apibase_tests::protos::examples::api as examples;
use apibase_tests::versions::versions;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use reflection_client::{Ask, answers, bare_file, extension, file, numbers, services, set, symbol};
use tokio::runtime::Runtime;

/// Real sets, to be damaged.
const SETS: &[&[u8]] = &[
    proto2::FILE_DESCRIPTOR_SET,
    custom_options::FILE_DESCRIPTOR_SET,
    versions::api::FILE_DESCRIPTOR_SET,
    examples::FILE_DESCRIPTOR_SET,
];

/// Bytes that are no descriptors, or nearly.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        select(SETS),
        vec((any::<usize>(), any::<u8>()), 0..4),
        any::<usize>(),
    );
    prop_oneof![
        1 => vec(any::<u8>(), 0..512),
        3 => damaged.prop_map(|(set, changes, cut)| {
            let mut bytes = set.to_vec();
            for (at, byte) in changes {
                let at = at % bytes.len();
                *bytes.get_mut(at).unwrap() = byte;
            }
            if cut % 4 == 0 {
                bytes.truncate(cut / 4 % bytes.len());
            }
            bytes
        }),
        2 => vec(loose_file(), 0..6).prop_map(set),
    ]
}

/// A file that decodes, whatever it means: names that repeat or are empty, imports of anything.
fn loose_file() -> impl Strategy<Value = FileDescriptorProto> {
    let name = || select(vec!["", ".", "a", "a.b", "b", "google/protobuf/any.proto"]);
    (
        name(),
        name(),
        vec(name(), 0..4),
        vec((name(), name(), any::<i32>()), 0..4),
    )
        .prop_map(|(file, package, imports, extensions)| FileDescriptorProto {
            package: Some(package.to_owned()),
            extension: extensions
                .into_iter()
                .map(|(name, extendee, number)| FieldDescriptorProto {
                    name: Some(name.to_owned()),
                    extendee: Some(extendee.to_owned()),
                    number: Some(number),
                    ..FieldDescriptorProto::default()
                })
                .collect(),
            ..bare_file(file, &imports)
        })
}

/// All that one can ask about what a set may declare.
fn all_about(set: &[u8]) -> Vec<Ask> {
    let mut asks = vec![
        services(),
        symbol("a"),
        symbol(""),
        file(""),
        numbers("a"),
        extension("a", 0),
    ];
    let decoded = FileDescriptorSet::decode(set).unwrap_or_default();
    for found in decoded.file {
        asks.push(file(found.name()));
        asks.extend(found.dependency.iter().map(|name| file(name)));
        let declared = found.message_type.iter().map(DescriptorProto::name);
        asks.extend(declared.map(|name| symbol(&format!("{}.{name}", found.package()))));
        for declared in &found.extension {
            asks.push(numbers(declared.extendee()));
            asks.push(extension(declared.extendee(), declared.number()));
        }
    }
    asks
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Whatever is given as descriptors is refused or answered from, and nothing panics.
    #[test]
    fn any_bytes_are_refused_or_served(sets in vec(bytes(), 1..4)) {
        let mut reflection = Reflection::new();
        for set in sets {
            let Ok(added) = reflection.clone().add_descriptors(set.clone()) else { continue };
            reflection = added;
            // Every question has an answer, and the two versions have the same.
            RUNTIME.block_on(answers(&reflection, all_about(&set)));
        }
    }
}
