//! [`Exclusion`]: what needs no token.

use crate::Method;

/// A method that needs no token, or all of a service. Never a prefix: what is added to a service later
/// must not be open because its name begins like another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exclusion {
    service: String,
    /// All of the service's where there is none.
    method: Option<String>,
}

impl Exclusion {
    /// `/pkg.Svc/Method` or `/pkg.Svc/*`.
    pub(super) fn read(path: &str) -> Result<Self, String> {
        let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        match parts {
            Some((service, method))
                if is_service(service) && (method == "*" || is_name(method)) =>
            {
                Ok(Self {
                    service: service.to_owned(),
                    method: (method != "*").then(|| method.to_owned()),
                })
            }
            _ => Err(format!(
                "`{path}` is excluded, and is neither a method, `/package.Service/Method`, nor all of a \
                 service, `/package.Service/*`"
            )),
        }
    }

    pub(super) fn covers(&self, method: &Method) -> bool {
        let name = self.method.as_deref();
        self.service == method.service() && name.is_none_or(|name| name == method.name())
    }
}

fn is_service(name: &str) -> bool {
    name.split('.').all(is_name)
}

/// An identifier of a proto.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
