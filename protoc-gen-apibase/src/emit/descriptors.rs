//! The descriptor set as a literal, written by hand: a formatter would put it on one line.

use std::fmt::Write as _;

use crate::model::Package;

/// Where a line of the literal is broken, in characters.
const WIDTH: usize = 96;

pub(super) fn constant(package: &Package) -> String {
    let mut out = String::with_capacity(package.descriptor_set.len() * 2);
    out.push_str(
        "/// The files of this package and what they import but for google/protobuf, as an\n\
         /// encoded `google.protobuf.FileDescriptorSet`.\n\
         pub const FILE_DESCRIPTOR_SET: &[u8] = b\"\\\n",
    );
    let mut line = String::new();
    for byte in &package.descriptor_set {
        if line.len() >= WIDTH {
            out.push_str(&line);
            out.push_str("\\\n");
            line.clear();
        }
        push_escaped(&mut line, *byte);
    }
    out.push_str(&line);
    out.push_str("\";\n");
    out
}

fn push_escaped(line: &mut String, byte: u8) {
    match byte {
        b'"' | b'\\' => {
            line.push('\\');
            line.push(char::from(byte));
        }
        b'\n' => line.push_str("\\n"),
        // A continued line loses the blanks that it starts with.
        b' ' if line.is_empty() => line.push_str("\\x20"),
        b' '..=b'~' => line.push(char::from(byte)),
        _ => {
            // Writing to a string doesn't fail.
            let _ = write!(line, "\\x{byte:02x}");
        }
    }
}
