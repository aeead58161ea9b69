//! What TLS asks of clients.

use std::borrow::Cow;

use super::{Form, Takes};

/// Whether a client has to have a certificate.
#[cfg_attr(
    not(all(feature = "server", feature = "tls")),
    allow(unreachable_pub, reason = "`Server::tls` takes it")
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// Who has none isn't let in.
    #[default]
    Required,
    /// Who has none is let in. One that is shown has to be good all the same.
    Optional,
}

impl ClientCertificates {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }
}

/// Whether a client has to have a certificate.
pub(crate) struct ClientAuth;

impl Takes for ClientAuth {
    type Value = ClientCertificates;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "`required` or `optional`".into()
    }

    fn read(text: &str) -> Option<ClientCertificates> {
        let all = [ClientCertificates::Required, ClientCertificates::Optional];
        all.into_iter()
            .find(|value| text.eq_ignore_ascii_case(value.as_str()))
    }

    fn show(value: &ClientCertificates) -> Option<String> {
        Some(value.as_str().to_owned())
    }
}
