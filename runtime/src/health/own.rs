//! `health.proto` as an encoded `google.protobuf.FileDescriptorSet`.
//!
//! The test `reflection_literals` compiles the proto with protox, compares and writes it.

/// `grpc.health.v1`.
pub(super) const V1: &[u8] = b"\
\n\xe7\x06\n\x1bgrpc/health/v1/health.proto\x12\x0egrpc.health.v1\".\n\x12HealthCheckRequest\x12\
\x18\n\x07service\x18\x01 \x01(\x09R\x07service\"\xb1\x01\n\x13HealthCheckResponse\x12I\n\x06sta\
tus\x18\x01 \x01(\x0e21.grpc.health.v1.HealthCheckResponse.ServingStatusR\x06status\"O\n\x0dServ\
ingStatus\x12\x0b\n\x07UNKNOWN\x10\x00\x12\x0b\n\x07SERVING\x10\x01\x12\x0f\n\x0bNOT_SERVING\x10\
\x02\x12\x13\n\x0fSERVICE_UNKNOWN\x10\x03\"\x13\n\x11HealthListRequest\"\xc4\x01\n\x12HealthList\
Response\x12L\n\x08statuses\x18\x01 \x03(\x0b20.grpc.health.v1.HealthListResponse.StatusesEntryR\
\x08statuses\x1a`\n\x0dStatusesEntry\x12\x10\n\x03key\x18\x01 \x01(\x09R\x03key\x129\n\x05value\x18\
\x02 \x01(\x0b2#.grpc.health.v1.HealthCheckResponseR\x05value:\x028\x012\xfd\x01\n\x06Health\x12\
P\n\x05Check\x12\".grpc.health.v1.HealthCheckRequest\x1a#.grpc.health.v1.HealthCheckResponse\x12\
M\n\x04List\x12!.grpc.health.v1.HealthListRequest\x1a\".grpc.health.v1.HealthListResponse\x12R\n\
\x05Watch\x12\".grpc.health.v1.HealthCheckRequest\x1a#.grpc.health.v1.HealthCheckResponse0\x01Bp\
\n\x11io.grpc.health.v1B\x0bHealthProtoP\x01Z,google.golang.org/grpc/health/grpc_health_v1\xa2\x02\
\x0cGrpcHealthV1\xaa\x02\x0eGrpc.Health.V1b\x06proto3";
