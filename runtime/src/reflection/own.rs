//! `reflection.proto`, in both versions, as encoded `google.protobuf.FileDescriptorSet`s, and
//! `error_details.proto`.
//!
//! The test `reflection_literals` compiles the protos with protox, compares and writes them.

/// `grpc.reflection.v1`.
pub(super) const V1: &[u8] = b"\
\n\xd0\x0d\n#grpc/reflection/v1/reflection.proto\x12\x12grpc.reflection.v1\"\xf3\x02\n\x17Server\
ReflectionRequest\x12\x12\n\x04host\x18\x01 \x01(\x09R\x04host\x12*\n\x10file_by_filename\x18\x03\
\x20\x01(\x09H\x00R\x0efileByFilename\x126\n\x16file_containing_symbol\x18\x04 \x01(\x09H\x00R\x14\
fileContainingSymbol\x12b\n\x19file_containing_extension\x18\x05 \x01(\x0b2$.grpc.reflection.v1.\
ExtensionRequestH\x00R\x17fileContainingExtension\x12B\n\x1dall_extension_numbers_of_type\x18\x06\
\x20\x01(\x09H\x00R\x19allExtensionNumbersOfType\x12%\n\x0dlist_services\x18\x07 \x01(\x09H\x00R\
\x0clistServicesB\x11\n\x0fmessage_request\"f\n\x10ExtensionRequest\x12'\n\x0fcontaining_type\x18\
\x01 \x01(\x09R\x0econtainingType\x12)\n\x10extension_number\x18\x02 \x01(\x05R\x0fextensionNumb\
er\"\xae\x04\n\x18ServerReflectionResponse\x12\x1d\n\nvalid_host\x18\x01 \x01(\x09R\x09validHost\
\x12V\n\x10original_request\x18\x02 \x01(\x0b2+.grpc.reflection.v1.ServerReflectionRequestR\x0fo\
riginalRequest\x12f\n\x18file_descriptor_response\x18\x04 \x01(\x0b2*.grpc.reflection.v1.FileDes\
criptorResponseH\x00R\x16fileDescriptorResponse\x12r\n\x1eall_extension_numbers_response\x18\x05\
\x20\x01(\x0b2+.grpc.reflection.v1.ExtensionNumberResponseH\x00R\x1ballExtensionNumbersResponse\x12\
_\n\x16list_services_response\x18\x06 \x01(\x0b2'.grpc.reflection.v1.ListServiceResponseH\x00R\x14\
listServicesResponse\x12J\n\x0eerror_response\x18\x07 \x01(\x0b2!.grpc.reflection.v1.ErrorRespon\
seH\x00R\x0derrorResponseB\x12\n\x10message_response\"L\n\x16FileDescriptorResponse\x122\n\x15fi\
le_descriptor_proto\x18\x01 \x03(\x0cR\x13fileDescriptorProto\"j\n\x17ExtensionNumberResponse\x12\
$\n\x0ebase_type_name\x18\x01 \x01(\x09R\x0cbaseTypeName\x12)\n\x10extension_number\x18\x02 \x03\
(\x05R\x0fextensionNumber\"T\n\x13ListServiceResponse\x12=\n\x07service\x18\x01 \x03(\x0b2#.grpc\
.reflection.v1.ServiceResponseR\x07service\"%\n\x0fServiceResponse\x12\x12\n\x04name\x18\x01 \x01\
(\x09R\x04name\"S\n\x0dErrorResponse\x12\x1d\n\nerror_code\x18\x01 \x01(\x05R\x09errorCode\x12#\n\
\x0derror_message\x18\x02 \x01(\x09R\x0cerrorMessage2\x89\x01\n\x10ServerReflection\x12u\n\x14Se\
rverReflectionInfo\x12+.grpc.reflection.v1.ServerReflectionRequest\x1a,.grpc.reflection.v1.Serve\
rReflectionResponse(\x010\x01Bf\n\x15io.grpc.reflection.v1B\x15ServerReflectionProtoP\x01Z4googl\
e.golang.org/grpc/reflection/grpc_reflection_v1b\x06proto3";

/// `grpc.reflection.v1alpha`.
pub(super) const V1ALPHA: &[u8] = b"\
\n\x91\x0e\n(grpc/reflection/v1alpha/reflection.proto\x12\x17grpc.reflection.v1alpha\"\xf8\x02\n\
\x17ServerReflectionRequest\x12\x12\n\x04host\x18\x01 \x01(\x09R\x04host\x12*\n\x10file_by_filen\
ame\x18\x03 \x01(\x09H\x00R\x0efileByFilename\x126\n\x16file_containing_symbol\x18\x04 \x01(\x09\
H\x00R\x14fileContainingSymbol\x12g\n\x19file_containing_extension\x18\x05 \x01(\x0b2).grpc.refl\
ection.v1alpha.ExtensionRequestH\x00R\x17fileContainingExtension\x12B\n\x1dall_extension_numbers\
_of_type\x18\x06 \x01(\x09H\x00R\x19allExtensionNumbersOfType\x12%\n\x0dlist_services\x18\x07 \x01\
(\x09H\x00R\x0clistServicesB\x11\n\x0fmessage_request\"f\n\x10ExtensionRequest\x12'\n\x0fcontain\
ing_type\x18\x01 \x01(\x09R\x0econtainingType\x12)\n\x10extension_number\x18\x02 \x01(\x05R\x0fe\
xtensionNumber\"\xc7\x04\n\x18ServerReflectionResponse\x12\x1d\n\nvalid_host\x18\x01 \x01(\x09R\x09\
validHost\x12[\n\x10original_request\x18\x02 \x01(\x0b20.grpc.reflection.v1alpha.ServerReflectio\
nRequestR\x0foriginalRequest\x12k\n\x18file_descriptor_response\x18\x04 \x01(\x0b2/.grpc.reflect\
ion.v1alpha.FileDescriptorResponseH\x00R\x16fileDescriptorResponse\x12w\n\x1eall_extension_numbe\
rs_response\x18\x05 \x01(\x0b20.grpc.reflection.v1alpha.ExtensionNumberResponseH\x00R\x1ballExte\
nsionNumbersResponse\x12d\n\x16list_services_response\x18\x06 \x01(\x0b2,.grpc.reflection.v1alph\
a.ListServiceResponseH\x00R\x14listServicesResponse\x12O\n\x0eerror_response\x18\x07 \x01(\x0b2&\
.grpc.reflection.v1alpha.ErrorResponseH\x00R\x0derrorResponseB\x12\n\x10message_response\"L\n\x16\
FileDescriptorResponse\x122\n\x15file_descriptor_proto\x18\x01 \x03(\x0cR\x13fileDescriptorProto\
\"j\n\x17ExtensionNumberResponse\x12$\n\x0ebase_type_name\x18\x01 \x01(\x09R\x0cbaseTypeName\x12\
)\n\x10extension_number\x18\x02 \x03(\x05R\x0fextensionNumber\"Y\n\x13ListServiceResponse\x12B\n\
\x07service\x18\x01 \x03(\x0b2(.grpc.reflection.v1alpha.ServiceResponseR\x07service\"%\n\x0fServ\
iceResponse\x12\x12\n\x04name\x18\x01 \x01(\x09R\x04name\"S\n\x0dErrorResponse\x12\x1d\n\nerror_\
code\x18\x01 \x01(\x05R\x09errorCode\x12#\n\x0derror_message\x18\x02 \x01(\x09R\x0cerrorMessage2\
\x93\x01\n\x10ServerReflection\x12\x7f\n\x14ServerReflectionInfo\x120.grpc.reflection.v1alpha.Se\
rverReflectionRequest\x1a1.grpc.reflection.v1alpha.ServerReflectionResponse(\x010\x01Bp\n\x1aio.\
grpc.reflection.v1alphaB\x15ServerReflectionProtoP\x01Z9google.golang.org/grpc/reflection/grpc_r\
eflection_v1alphab\x06proto3";

/// `error_details.proto`, an encoded `google.protobuf.FileDescriptorProto`.
pub(super) const ERROR_DETAILS: &[u8] = b"\
\n\x1egoogle/rpc/error_details.proto\x12\ngoogle.rpc\x1a\x1egoogle/protobuf/duration.proto\"\xb9\
\x01\n\x09ErrorInfo\x12\x16\n\x06reason\x18\x01 \x01(\x09R\x06reason\x12\x16\n\x06domain\x18\x02\
\x20\x01(\x09R\x06domain\x12?\n\x08metadata\x18\x03 \x03(\x0b2#.google.rpc.ErrorInfo.MetadataEnt\
ryR\x08metadata\x1a;\n\x0dMetadataEntry\x12\x10\n\x03key\x18\x01 \x01(\x09R\x03key\x12\x14\n\x05\
value\x18\x02 \x01(\x09R\x05value:\x028\x01\"G\n\x09RetryInfo\x12:\n\x0bretry_delay\x18\x01 \x01\
(\x0b2\x19.google.protobuf.DurationR\nretryDelay\"H\n\x09DebugInfo\x12#\n\x0dstack_entries\x18\x01\
\x20\x03(\x09R\x0cstackEntries\x12\x16\n\x06detail\x18\x02 \x01(\x09R\x06detail\"\x8e\x04\n\x0cQ\
uotaFailure\x12B\n\nviolations\x18\x01 \x03(\x0b2\".google.rpc.QuotaFailure.ViolationR\nviolatio\
ns\x1a\xb9\x03\n\x09Violation\x12\x18\n\x07subject\x18\x01 \x01(\x09R\x07subject\x12 \n\x0bdescr\
iption\x18\x02 \x01(\x09R\x0bdescription\x12\x1f\n\x0bapi_service\x18\x03 \x01(\x09R\napiService\
\x12!\n\x0cquota_metric\x18\x04 \x01(\x09R\x0bquotaMetric\x12\x19\n\x08quota_id\x18\x05 \x01(\x09\
R\x07quotaId\x12b\n\x10quota_dimensions\x18\x06 \x03(\x0b27.google.rpc.QuotaFailure.Violation.Qu\
otaDimensionsEntryR\x0fquotaDimensions\x12\x1f\n\x0bquota_value\x18\x07 \x01(\x03R\nquotaValue\x12\
1\n\x12future_quota_value\x18\x08 \x01(\x03H\x00R\x10futureQuotaValue\x88\x01\x01\x1aB\n\x14Quot\
aDimensionsEntry\x12\x10\n\x03key\x18\x01 \x01(\x09R\x03key\x12\x14\n\x05value\x18\x02 \x01(\x09\
R\x05value:\x028\x01B\x15\n\x13_future_quota_value\"\xbd\x01\n\x13PreconditionFailure\x12I\n\nvi\
olations\x18\x01 \x03(\x0b2).google.rpc.PreconditionFailure.ViolationR\nviolations\x1a[\n\x09Vio\
lation\x12\x12\n\x04type\x18\x01 \x01(\x09R\x04type\x12\x18\n\x07subject\x18\x02 \x01(\x09R\x07s\
ubject\x12 \n\x0bdescription\x18\x03 \x01(\x09R\x0bdescription\"\x8c\x02\n\nBadRequest\x12P\n\x10\
field_violations\x18\x01 \x03(\x0b2%.google.rpc.BadRequest.FieldViolationR\x0ffieldViolations\x1a\
\xab\x01\n\x0eFieldViolation\x12\x14\n\x05field\x18\x01 \x01(\x09R\x05field\x12 \n\x0bdescriptio\
n\x18\x02 \x01(\x09R\x0bdescription\x12\x16\n\x06reason\x18\x03 \x01(\x09R\x06reason\x12I\n\x11l\
ocalized_message\x18\x04 \x01(\x0b2\x1c.google.rpc.LocalizedMessageR\x10localizedMessage\"O\n\x0b\
RequestInfo\x12\x1d\n\nrequest_id\x18\x01 \x01(\x09R\x09requestId\x12!\n\x0cserving_data\x18\x02\
\x20\x01(\x09R\x0bservingData\"\x90\x01\n\x0cResourceInfo\x12#\n\x0dresource_type\x18\x01 \x01(\x09\
R\x0cresourceType\x12#\n\x0dresource_name\x18\x02 \x01(\x09R\x0cresourceName\x12\x14\n\x05owner\x18\
\x03 \x01(\x09R\x05owner\x12 \n\x0bdescription\x18\x04 \x01(\x09R\x0bdescription\"o\n\x04Help\x12\
+\n\x05links\x18\x01 \x03(\x0b2\x15.google.rpc.Help.LinkR\x05links\x1a:\n\x04Link\x12 \n\x0bdesc\
ription\x18\x01 \x01(\x09R\x0bdescription\x12\x10\n\x03url\x18\x02 \x01(\x09R\x03url\"D\n\x10Loc\
alizedMessage\x12\x16\n\x06locale\x18\x01 \x01(\x09R\x06locale\x12\x18\n\x07message\x18\x02 \x01\
(\x09R\x07messageBf\n\x0ecom.google.rpcB\x11ErrorDetailsProtoP\x01Z?google.golang.org/genproto/g\
oogleapis/rpc/errdetails;errdetailsb\x06proto3";
