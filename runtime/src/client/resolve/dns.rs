//! [`Dns`]: asks the system's resolver.

use tokio::net::lookup_host;

use super::{Addresses, Resolver, Resolving};

/// Asks the system's resolver, which knows DNS, `/etc/hosts` and search domains, and tells no TTL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dns;

impl Resolver for Dns {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move {
            let found = lookup_host((host, port)).await?;
            Ok(Addresses::new(found.collect::<Vec<_>>()))
        })
    }
}
