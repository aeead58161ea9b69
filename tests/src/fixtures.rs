//! The one list of the fixtures: of what is compiled, of the fakes and of the snapshots.

/// Hands the fixtures to another macro, each with what it shows.
#[macro_export]
macro_rules! fixtures {
    ($then:ident) => {
        $then! {
            with_snapshots {
                /// Names beside the layer's own: a message `Api`, a package `foo.api`.
                api_names,
                /// Comments with all that rustdoc could stumble over.
                comments,
                /// How a service config says that methods are called.
                configured,
                /// What compilers of protos could write down in different ways.
                corners,
                /// Custom options on everything.
                custom_options,
                /// Methods with a cap on their deadlines.
                deadlines,
                /// Deprecated methods, messages, fields and enums.
                deprecated,
                /// Methods whose work goes on when their callers have gone.
                detached,
                /// Bytes as shared buffers and of a fixed length.
                entity_bytes,
                /// The same in fields that are shared buffers.
                entity_bytes_buffers,
                /// Methods of all kinds that take and give entities.
                entity_calls,
                /// Lists, sets and maps in entities.
                entity_collections,
                /// Empty values that mean none, or that are refused.
                entity_empty,
                /// Enums in entities: unknown numbers, and values that stand for none.
                entity_enums,
                /// Fields that are renamed, ignored, flattened, secret or deprecated.
                entity_fields,
                /// Entities by an option of their file.
                entity_file,
                /// Dates, money, decimals and places of `google.type`.
                entity_google,
                /// Integers of other widths and signs than their fields.
                entity_integers,
                /// Times in jiff's types.
                entity_jiff,
                /// JSON in the messages of `struct.proto`.
                entity_json,
                /// Entities named like what Rust's prelude has.
                entity_names,
                /// Entities inside entities, and inside themselves.
                entity_nested,
                /// Oneofs in entities.
                entity_oneofs,
                /// An entity with something of everything.
                entity_order,
                /// Types and mappers of the user: those of [`domain`].
                entity_own_types,
                /// What to change in an entity: by a field mask, and by what a request has.
                entity_patch,
                /// Who says that a field is required.
                entity_required,
                /// Durations in the standard library's type.
                entity_std_duration,
                /// Times in the standard library's types.
                entity_system_time,
                /// Decimals, URLs, addresses and JSON in strings.
                entity_texts,
                /// Times in chrono's types.
                entity_time,
                /// Times in the types of the crate `time`.
                entity_time_crate,
                /// UUIDs in strings and bytes.
                entity_uuid,
                /// UUIDs in fields that are shared buffers.
                entity_uuid_buffers,
                /// Types of the user that have just what their message has: those of [`whole`].
                entity_whole,
                /// Presence by wrappers, by `optional` and in proto2.
                entity_wrappers,
                /// Enums with prefixes, digits and aliases.
                enums,
                /// Errors with all that a row of a table can say.
                errors_basic,
                /// Methods of all kinds that fail with the errors of a catalogue.
                errors_calls,
                /// A catalogue without errors, and one without a service.
                errors_empty,
                /// Errors named like what Rust and the layer have.
                errors_names,
                /// Services of two packages with the catalogue of a third.
                errors_shared,
                /// Messages with all that a format string could stumble over.
                errors_texts,
                /// Messages that another module has.
                extern_path,
                /// Names that don't fit on a line.
                formatting,
                /// Methods that say who may call.
                guarded,
                /// Names that are words of Rust.
                keywords,
                /// The four kinds of methods.
                kinds,
                /// Methods with rate limits.
                limits,
                /// No package at all.
                no_package,
                /// Parameters that change messages.
                parameters,
                /// Methods that say how clients call them.
                policies,
                /// Messages named like what Rust's prelude has.
                prelude,
                /// The older syntax.
                proto2,
                /// Methods named like what the layer has.
                rpc_names,
                /// Nested, recursive and foreign types of methods.
                rpc_types,
                /// Names of services.
                service_names,
                /// Files with services alone.
                services_only,
                /// Messages of every shape.
                shapes,
                /// Packages of several files.
                split_files,
                /// Methods named like what tonic has.
                tonic_names,
                /// Unary methods alone.
                unary,
                /// Versions of a service.
                versions,
                /// What prost-types has, in every position.
                well_known,
            }
            // They show nothing of their own.
            without_snapshots {
                /// One conversion an entity: its grade is that of the conversion.
                entity_grades,
                /// The newer version of a catalogue.
                errors_newer,
                /// The older version of the same.
                errors_older,
                /// The service of the end-to-end tests, with tonic's modules beside ours.
                tonic_echo,
            }
            // It has no folder in `fixtures`.
            from_elsewhere {
                /// The protos of the specification.
                protos,
            }
        }
    };
}
