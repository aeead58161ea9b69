//! Server reflection: tells tools such as grpcurl what a server serves.
//!
//! A [`Reflection`] gathers descriptors into an [`Index`](index::Index) while a server starts; its two
//! services answer from that and change nothing. The protocol is `reflection.proto`; where it leaves
//! something open, the answers are those of grpc-go.

mod answer;
mod declared;
mod error;
mod google;
mod index;
mod messages;
mod own;
mod service;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

pub use self::error::ReflectionError;
use self::index::Index;
pub use self::service::{ReflectionV1, ReflectionV1Alpha};
use self::service::{Served, Stop};
use crate::server::Service;

/// What server reflection tells, and the services that tell it.
///
/// It is for services that are mounted in tonic's server or in axum:
///
/// ```
/// # use apibase::codegen::Service;
/// # fn mount<S: Service>(items: S) -> Result<(), Box<dyn std::error::Error>> {
/// use apibase::{Interceptors, Reflection, TowerService};
///
/// let reflection = Reflection::new().describe(&items)?;
/// let v1 = TowerService::new(reflection.v1(), Interceptors::none())?;
/// let v1alpha = TowerService::new(reflection.v1alpha(), Interceptors::none())?;
/// # Ok(()) }
/// ```
///
/// Files are served with the bytes that they came in, so custom options arrive. What they import of
/// `google/protobuf`, which generated descriptors leave out, is added, and so is
/// `google/rpc/error_details.proto`, so that tools show the details of a status.
///
/// Clones mean the same streams: [`shut_down`](Self::shut_down) of one ends those of all.
#[derive(Clone)]
pub struct Reflection {
    index: Arc<Index>,
    stop: Stop,
}

impl Reflection {
    /// Tells of itself alone: both versions of the protocol, which are meant to be served together.
    #[must_use]
    pub fn new() -> Self {
        let mut index = Index::default();
        for (name, descriptors) in [
            (ReflectionV1::NAME, ReflectionV1::DESCRIPTORS),
            (ReflectionV1Alpha::NAME, ReflectionV1Alpha::DESCRIPTORS),
        ] {
            // They are constants, and a test reads them.
            let _ = index.add(Bytes::from_static(descriptors));
            index.list(name.to_owned());
        }
        let _ = index.add_details();
        Self {
            index: Arc::new(index),
            stop: Stop::new(),
        }
    }

    /// Tells of `service`, a generated server type, too: [`add_descriptors`](Self::add_descriptors) of its descriptors, and
    /// [`list`](Self::list) of its name.
    ///
    /// # Errors
    ///
    /// Those of [`add_descriptors`](Self::add_descriptors).
    pub fn describe<S: Service>(self, _service: &S) -> Result<Self, ReflectionError> {
        Ok(self.add_descriptors(S::DESCRIPTORS)?.list(S::NAME))
    }

    /// Serves the files of `descriptors`, an encoded `google.protobuf.FileDescriptorSet`, too; those
    /// that are there already and have the same bytes only once. Their services are not listed by
    /// that.
    ///
    /// Files of `google/protobuf` may differ, as they do from compiler to compiler: the first one
    /// stays. A `google/rpc/error_details.proto` takes the place of ours.
    ///
    /// # Errors
    ///
    /// When it is no such set, or a file of the same name and other content is there.
    pub fn add_descriptors(
        mut self,
        descriptors: impl Into<Bytes>,
    ) -> Result<Self, ReflectionError> {
        let index = Arc::make_mut(&mut self.index);
        index.add(descriptors.into())?;
        index.complete()?;
        Ok(self)
    }

    /// Lists the service of this full name, `package.Service`, too. A server lists what it serves,
    /// which can be less than its files declare.
    #[must_use]
    pub fn list(mut self, service: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.index).list(service.into());
        self
    }

    /// The names of the services that are listed, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.index.services()
    }

    /// The names of files that are imported and that nothing brought, in order. Tools fail where they
    /// need one, most of them with all that imports it.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.index.missing().into_iter()
    }

    /// `grpc.reflection.v1.ServerReflection`, which tells what this tells now.
    #[must_use]
    pub fn v1(&self) -> ReflectionV1 {
        ReflectionV1(self.served())
    }

    /// `grpc.reflection.v1alpha.ServerReflection`, which tells the same.
    #[must_use]
    pub fn v1alpha(&self) -> ReflectionV1Alpha {
        ReflectionV1Alpha(self.served())
    }

    /// Ends all streams of its services with UNAVAILABLE, and later ones at their start. Tools keep
    /// their stream open for as long as they run, and would hold up a server that waits for its calls.
    pub fn shut_down(&self) {
        self.stop.stop();
    }

    fn served(&self) -> Served {
        Served {
            index: Arc::clone(&self.index),
            stop: self.stop.clone(),
        }
    }
}

impl Default for Reflection {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reflection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.services().collect();
        f.debug_struct("Reflection")
            .field("services", &services)
            .finish_non_exhaustive()
    }
}
