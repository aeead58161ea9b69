//! [`Settings`]: what OpenTelemetry's variables say.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;
use percent_encoding::percent_decode_str;

#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::settings::shown;
use crate::{ConfigError, ConfigProblem};

const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const COMPRESSIONS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
];
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";

const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
/// More is a mistake: it would be gigabytes.
const LONGEST_QUEUE: usize = 1_000_000;

const DEFAULT_ENDPOINT: &str = "http://localhost:4317";

/// Where variables are read from.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is exported, and where to.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) endpoint: String,
    /// None where the endpoint has none.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
    pub(super) sampler: Sampling,
    pub(super) resource: Resource,
    /// How many spans wait at most.
    pub(super) queue: usize,
}

/// Which calls are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sampling {
    /// Whether a caller has the say, where there is one.
    by_callers: bool,
    root: Root,
}

/// Which calls are recorded that nobody else has decided about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Root {
    All,
    None,
    /// This part of the traces, 0 to 1.
    Ratio(f64),
}

/// The variables, and what is wrong with them.
pub(super) struct Reader<'a> {
    variables: Variables<'a>,
    problems: Vec<ConfigProblem>,
}

impl Settings {
    /// None where nothing is to be exported.
    ///
    /// # Errors
    ///
    /// With all that is wrong, even where nothing is to be exported.
    pub(super) fn read(variables: Variables<'_>) -> Result<Option<Self>, ConfigError> {
        let mut reader = Reader {
            variables,
            problems: Vec::new(),
        };
        let is_disabled = reader.is_disabled();
        let is_exported = reader.is_exported();
        reader.check_protocol();
        reader.check_compression();
        let endpoint = reader.endpoint();
        #[cfg(feature = "tls")]
        let is_secure = endpoint
            .get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let settings = Self {
            endpoint,
            #[cfg(feature = "tls")]
            tls: is_secure.then(|| Tls::read(&mut reader)),
            sampler: reader.sampler(),
            resource: reader.resource(),
            queue: reader.queue(),
        };
        let settings = (is_exported && !is_disabled).then_some(settings);
        ConfigError::or(reader.problems, settings)
    }
}

impl Sampling {
    pub(super) fn follows_callers(self) -> bool {
        self.by_callers
    }

    pub(super) fn made(self) -> Sampler {
        let root = match self.root {
            Root::All => Sampler::AlwaysOn,
            Root::None => Sampler::AlwaysOff,
            Root::Ratio(ratio) => Sampler::TraceIdRatioBased(ratio),
        };
        match self.by_callers {
            true => Sampler::ParentBased(Box::new(root)),
            false => root,
        }
    }
}

impl Reader<'_> {
    /// One that is empty counts as unset, as OpenTelemetry has it.
    fn get(&self, key: &str) -> Option<String> {
        let value = (self.variables)(key)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The first of them that is set.
    fn first(&self, keys: [&'static str; 2]) -> Option<(&'static str, String)> {
        let mut keys = keys.into_iter();
        keys.find_map(|key| Some((key, self.get(key)?)))
    }

    /// Whether one of them is set.
    #[cfg(feature = "tls")]
    pub(super) fn has(&self, keys: [&'static str; 2]) -> bool {
        self.first(keys).is_some()
    }

    /// The content of the file that the first of them names.
    #[cfg(feature = "tls")]
    pub(super) fn content(&mut self, keys: [&'static str; 2]) -> Option<Vec<u8>> {
        let (key, path) = self.first(keys)?;
        match std::fs::read(&path) {
            Ok(content) => Some(content),
            Err(why) => {
                self.wrong(key, format!("`{}` can't be read: {why}", shown(&path)));
                None
            }
        }
    }

    pub(super) fn wrong(&mut self, key: &str, problem: String) {
        self.problems.push(ConfigProblem::new(key, problem));
    }

    /// OpenTelemetry has it so that only `true` is true; other values than `false` are mistakes.
    fn is_disabled(&mut self) -> bool {
        let Some(value) = self.get(DISABLED) else {
            return false;
        };
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.eq_ignore_ascii_case("false") {
            let problem = format!("`{}` is neither `true` nor `false`", shown(&value));
            self.wrong(DISABLED, problem);
        }
        is_true
    }

    fn is_exported(&mut self) -> bool {
        match self.get(EXPORTER).as_deref() {
            None | Some("otlp") => true,
            Some("none") => false,
            Some(other) => {
                let problem = format!("`{}` is neither `otlp` nor `none`", shown(other));
                self.wrong(EXPORTER, problem);
                false
            }
        }
    }

    fn check_protocol(&mut self) {
        if let Some((key, value)) = self.first(PROTOCOLS)
            && value != "grpc"
        {
            let value = shown(&value);
            let problem = format!(
                "`{value}` is not spoken here: set it to `grpc`, and the endpoint to the collector's \
                 gRPC port, 4317 mostly"
            );
            self.wrong(key, problem);
        }
    }

    /// The exporter reads it itself, and ignores what it was built without.
    fn check_compression(&mut self) {
        let Some((key, value)) = self.first(COMPRESSIONS) else {
            return;
        };
        let problem = match value.to_ascii_lowercase().as_str() {
            "none" => return,
            "gzip" if cfg!(feature = "gzip") => return,
            "gzip" => {
                "is what apibase's feature `gzip` is for: switch it on, or set this to `none`"
            }
            _ => "is neither `gzip` nor `none`",
        };
        let problem = format!("`{}` {problem}", shown(&value));
        self.wrong(key, problem);
    }

    fn endpoint(&mut self) -> String {
        let Some((key, endpoint)) = self.first(ENDPOINTS) else {
            return DEFAULT_ENDPOINT.to_owned();
        };
        let problem = match endpoint.parse::<http::Uri>() {
            Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => None,
            Ok(uri) if uri.scheme_str() == Some("https") && uri.host().is_some() => (!cfg!(
                feature = "tls"
            ))
            .then_some(
                "is an endpoint with TLS, which apibase's feature `tls` is for: switch it on, or \
                     export by `http` to a collector at this node that sends it on",
            ),
            _ => Some("is no endpoint like `http://collector:4317`"),
        };
        if let Some(problem) = problem {
            let problem = format!("`{}` {problem}", shown(&endpoint));
            self.wrong(key, problem);
        }
        endpoint
    }

    fn sampler(&mut self) -> Sampling {
        let name = self.get(SAMPLER);
        let name = name.as_deref().unwrap_or("parentbased_always_on");
        let root = name.strip_prefix("parentbased_");
        let by_callers = root.is_some();
        let root = match root.unwrap_or(name) {
            "always_on" => Root::All,
            "always_off" => Root::None,
            "traceidratio" => self.ratio(),
            _ => {
                let problem = format!(
                    "`{}` is none of `always_on`, `always_off`, `traceidratio`, \
                     `parentbased_always_on`, `parentbased_always_off` and `parentbased_traceidratio`",
                    shown(name)
                );
                self.wrong(SAMPLER, problem);
                Root::All
            }
        };
        Sampling { by_callers, root }
    }

    fn ratio(&mut self) -> Root {
        let Some(value) = self.get(SAMPLER_ARG) else {
            return Root::Ratio(1.0);
        };
        match value.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => Root::Ratio(ratio),
            _ => {
                let problem = format!("`{}` is no number from 0 to 1", shown(&value));
                self.wrong(SAMPLER_ARG, problem);
                Root::Ratio(1.0)
            }
        }
    }

    fn queue(&mut self) -> usize {
        const DEFAULT: usize = 2048;
        let Some(value) = self.get(QUEUE) else {
            return DEFAULT;
        };
        match value.parse() {
            Ok(spans) if (1..=LONGEST_QUEUE).contains(&spans) => spans,
            _ => {
                let problem = format!("`{}` is no number from 1 to {LONGEST_QUEUE}", shown(&value));
                self.wrong(QUEUE, problem);
                DEFAULT
            }
        }
    }

    /// Who this is. The name goes before the same attribute.
    fn resource(&mut self) -> Resource {
        let mut attributes = Vec::new();
        let list = self.get(RESOURCE).unwrap_or_default();
        for pair in list
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let pair = pair
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()));
            let decoded = pair.and_then(|(key, value)| Some((decode(key)?, decode(value)?)));
            match decoded.filter(|(key, _)| !key.is_empty()) {
                Some((key, value)) => attributes.push(KeyValue::new(key, value)),
                None => {
                    let problem = format!("`{}` is not `key=value,key=value`", shown(&list));
                    self.wrong(RESOURCE, problem);
                    break;
                }
            }
        }
        // What it finds by itself are the same variables of the process, read less strictly.
        let resource = Resource::builder().with_attributes(attributes);
        match self.get(SERVICE_NAME) {
            Some(name) => resource.with_service_name(name).build(),
            None => resource.build(),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use opentelemetry::Key;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Settings>, ConfigError> {
        Settings::read(&|key| {
            let pair = pairs.iter().find(|(known, _)| *known == key)?;
            Some(pair.1.to_owned())
        })
    }

    fn keys(pairs: &[(&str, &str)]) -> Vec<String> {
        let error = read(pairs).unwrap_err();
        let problems = error.problems().iter();
        problems.map(|problem| problem.key().to_owned()).collect()
    }

    #[test]
    fn without_variables_all_is_sent_to_a_collector_beside() {
        let settings = read(&[]).unwrap().unwrap();
        assert_eq!(settings.endpoint, "http://localhost:4317");
        let sampler = Sampling {
            by_callers: true,
            root: Root::All,
        };
        assert_eq!(settings.sampler, sampler);
    }

    #[test]
    fn the_endpoint_of_traces_goes_before_that_of_all() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4317");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
        let of = |pairs: &[_]| read(pairs).unwrap().unwrap().endpoint;
        assert_eq!(of(&[all]), "http://all:4317");
        assert_eq!(of(&[all, traces]), "http://traces:4317");
        assert_eq!(
            of(&[all, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", " ")]),
            "http://all:4317"
        );
    }

    #[test]
    fn the_name_and_the_attributes_say_who_this_is() {
        let settings = read(&[
            ("OTEL_SERVICE_NAME", "items"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=other, zone = a%20b,empty=",
            ),
        ]);
        let resource = settings.unwrap().unwrap().resource;
        let of = |key: &'static str| {
            let value = resource.get(&Key::new(key));
            value.map(|value| value.to_string())
        };
        assert_eq!(of("service.name").as_deref(), Some("items"));
        assert_eq!(of("zone").as_deref(), Some("a b"));
        assert_eq!(of("empty").as_deref(), Some(""));
        assert_eq!(of("telemetry.sdk.language").as_deref(), Some("rust"));
    }

    #[test]
    fn each_sampler_is_known_by_its_name() {
        let of = |name, arg| {
            let pairs = [
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", arg),
            ];
            let sampler = read(&pairs).unwrap().unwrap().sampler;
            (sampler.by_callers, sampler.root)
        };
        assert_eq!(of("always_on", ""), (false, Root::All));
        assert_eq!(of("always_off", ""), (false, Root::None));
        assert_eq!(of("traceidratio", "0.25"), (false, Root::Ratio(0.25)));
        assert_eq!(of("parentbased_always_on", ""), (true, Root::All));
        assert_eq!(of("parentbased_always_off", "x"), (true, Root::None));
        assert_eq!(of("parentbased_traceidratio", ""), (true, Root::Ratio(1.0)));
    }

    #[test]
    fn it_can_be_switched_off() {
        assert!(read(&[("OTEL_SDK_DISABLED", "TRUE")]).unwrap().is_none());
        assert!(read(&[("OTEL_SDK_DISABLED", "false")]).unwrap().is_some());
        assert!(read(&[("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
    }

    #[test]
    fn a_compression_that_this_was_built_without_is_not_ignored() {
        const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION";
        assert!(read(&[(TRACES, "none")]).is_ok());
        assert_eq!(read(&[(TRACES, "GZIP")]).is_ok(), cfg!(feature = "gzip"));
        assert_eq!(keys(&[(TRACES, "zstd")]), [TRACES]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = [
            ("OTEL_SDK_DISABLED", "1"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "deflate"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ];
        let expected: Vec<_> = wrong
            .iter()
            .map(|(key, _)| (*key).to_owned())
            .filter(|key| key != "OTEL_TRACES_SAMPLER")
            .collect();
        assert_eq!(keys(&wrong), expected);
        assert_eq!(
            keys(&[("OTEL_TRACES_SAMPLER", "xray")]),
            ["OTEL_TRACES_SAMPLER"]
        );
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_files_of_an_endpoint_with_tls_are_read_and_others_are_not() {
        let files = [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/ca.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/no/such/own.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/no/such/key.pem"),
        ];
        let at = |endpoint| {
            let mut pairs = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
            pairs.extend(files);
            pairs
        };
        assert!(read(&at("http://c:4317")).is_ok());
        assert_eq!(keys(&at("HTTPS://c:4317")), files.map(|(key, _)| key));
        let some_file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let half = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4317"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", some_file),
        ];
        assert_eq!(keys(&half), ["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"]);
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn an_endpoint_with_tls_is_refused_rather_than_not_reached() {
        let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4317")]).unwrap_err();
        assert!(error.to_string().contains("with TLS"), "{error}");
    }
}
