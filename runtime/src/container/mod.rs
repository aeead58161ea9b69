//! [`Container`]: what an application is made of, put together once.

mod constructor;
mod error;
mod graph;
#[cfg(test)]
mod tests;

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

pub use self::constructor::Constructor;
use self::constructor::Key;
pub use self::error::ContainerError;
use self::error::Problem;
use self::graph::Graph;
use crate::BoxError;

/// What has been made, of any type: an `Arc` of it.
type Shared = Box<dyn Any + Send + Sync>;
/// None where something that it needs could not be made; why is told there.
type Outcome = Result<Option<Shared>, BoxError>;

/// What an application is made of, each part by its type: made once, and handed to whoever is made
/// with it.
///
/// A part says what it needs by the parameters of its constructor, each an `Arc`. Nothing is looked up
/// by a name, and what could be missing is known before anything is made:
/// [`build`](ContainerBuilder::build) reports all that is missing, registered twice or circular
/// together. For a handful of parts, calling their constructors is simpler, and as good.
///
/// ```
/// use std::sync::Arc;
/// use apibase::Container;
///
/// trait Clock: Send + Sync { fn now(&self) -> u64; }
/// struct Fixed(u64);
/// impl Clock for Fixed { fn now(&self) -> u64 { self.0 } }
///
/// struct Store { clock: Arc<dyn Clock> }
/// impl Store {
///     fn new(clock: Arc<dyn Clock>) -> Self { Self { clock } }
/// }
/// struct CreateItem { store: Arc<Store> }
///
/// # fn main() -> Result<(), apibase::ContainerError> {
/// let container = Container::builder()
///     .value(Fixed(7))
///     .bind(|clock: Arc<Fixed>| -> Arc<dyn Clock> { clock })
///     .singleton(Store::new)
///     .factory(|store: Arc<Store>| CreateItem { store })
///     .build()?;
/// let create = container.get::<CreateItem>()?;
/// assert_eq!(create.store.clock.now(), 7);
/// # Ok(()) }
/// ```
#[derive(Default)]
pub struct Container {
    made: HashMap<TypeId, Made>,
}

enum Made {
    Once(Shared),
    EachTime(Factory),
}

type Factory = Arc<dyn Fn(&Container) -> Option<Shared> + Send + Sync>;

/// Takes what a [`Container`] will have.
#[derive(Default)]
#[must_use = "nothing is made until `build` is called"]
pub struct ContainerBuilder {
    parts: Vec<Part>,
}

/// Something that is registered.
struct Part {
    key: Key,
    needs: Vec<Key>,
    at: &'static Location<'static>,
    make: Make,
}

enum Make {
    Once(Box<dyn FnOnce(&Container) -> Outcome + Send>),
    EachTime(Factory),
}

impl Container {
    /// A container with nothing in it yet.
    pub fn builder() -> ContainerBuilder {
        ContainerBuilder::default()
    }

    /// The part of this type: the one there is of a singleton, a new one of a factory's.
    ///
    /// It is for the place where an application is put together. What is needed there by many belongs
    /// into their constructors: then it is checked before anything runs.
    ///
    /// # Errors
    ///
    /// None of this type is registered.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ContainerError> {
        self.find().ok_or_else(|| {
            ContainerError::new(vec![Problem::Missing {
                name: type_name::<T>(),
                chains: Vec::new(),
            }])
        })
    }

    fn find<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        match self.made.get(&TypeId::of::<T>())? {
            Made::Once(made) => made.downcast_ref::<Arc<T>>().cloned(),
            Made::EachTime(factory) => factory(self)?.downcast().ok().map(|made| *made),
        }
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("parts", &self.made.len())
            .finish()
    }
}

impl ContainerBuilder {
    /// Something that is there already: settings, or a pool that had to be waited for.
    #[track_caller]
    pub fn value<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.singleton(move || value)
    }

    /// A part that is made once, when the container is built. What it needs are the parameters of its
    /// constructor, each an `Arc`.
    #[track_caller]
    pub fn singleton<T, Needs, C>(self, constructor: C) -> Self
    where
        T: Send + Sync + 'static,
        C: Constructor<Needs, Output = T> + Send + 'static,
    {
        self.once::<T, Needs, C>(constructor, |made| Ok(Arc::new(made)))
    }

    /// The same of a constructor that can fail. All that fail are reported together.
    #[track_caller]
    pub fn try_singleton<T, E, Needs, C>(self, constructor: C) -> Self
    where
        T: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        C: Constructor<Needs, Output = Result<T, E>> + Send + 'static,
    {
        self.once::<T, Needs, C>(constructor, |made| made.map(Arc::new).map_err(Into::into))
    }

    /// A part under another type, of which it is one: a trait, for those that need any that has it.
    ///
    /// ```
    /// # use std::{fmt::Display, sync::Arc};
    /// # fn main() -> Result<(), apibase::ContainerError> {
    /// let container = apibase::Container::builder()
    ///     .value(String::from("a string"))
    ///     .bind(|string: Arc<String>| -> Arc<dyn Display + Send + Sync> { string })
    ///     .build()?;
    /// assert_eq!(container.get::<dyn Display + Send + Sync>()?.to_string(), "a string");
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn bind<T, Needs, C>(self, constructor: C) -> Self
    where
        T: ?Sized + Send + Sync + 'static,
        C: Constructor<Needs, Output = Arc<T>> + Send + 'static,
    {
        self.once::<T, Needs, C>(constructor, Ok)
    }

    /// A part that is made anew for each that needs it.
    #[track_caller]
    pub fn factory<T, Needs, C>(mut self, constructor: C) -> Self
    where
        T: Send + Sync + 'static,
        C: Constructor<Needs, Output = T> + Clone + Send + Sync + 'static,
    {
        let factory = move |container: &Container| -> Option<Shared> {
            let made = constructor.clone().construct(container)?;
            Some(Box::new(Arc::new(made)))
        };
        self.parts.push(Part {
            key: Key::of::<T>(),
            needs: C::needs(),
            at: Location::caller(),
            make: Make::EachTime(Arc::new(factory)),
        });
        self
    }

    #[track_caller]
    fn once<T, Needs, C>(
        mut self,
        constructor: C,
        shared: fn(C::Output) -> Result<Arc<T>, BoxError>,
    ) -> Self
    where
        T: ?Sized + Send + Sync + 'static,
        C: Constructor<Needs, Output: 'static> + Send + 'static,
    {
        let make = move |container: &Container| -> Outcome {
            let Some(made) = constructor.construct(container) else {
                return Ok(None);
            };
            Ok(Some(Box::new(shared(made)?)))
        };
        self.parts.push(Part {
            key: Key::of::<T>(),
            needs: C::needs(),
            at: Location::caller(),
            make: Make::Once(Box::new(make)),
        });
        self
    }

    /// Makes everything, each part after those that it needs.
    ///
    /// # Errors
    ///
    /// All that is missing, registered twice or circular, in one message: then nothing is made. Or all
    /// constructors that failed; what needs their parts isn't made.
    pub fn build(self) -> Result<Container, ContainerError> {
        let graph = Graph::new(&self.parts);
        let problems = graph.problems();
        if !problems.is_empty() {
            return Err(ContainerError::new(problems));
        }
        let order = graph.order();
        let mut parts: Vec<Option<Part>> = self.parts.into_iter().map(Some).collect();
        let mut container = Container::default();
        let mut failed = Vec::new();
        for index in order {
            let Some(part) = parts.get_mut(index).and_then(Option::take) else {
                continue;
            };
            let made = match part.make {
                Make::EachTime(factory) => Made::EachTime(factory),
                Make::Once(make) => match make(&container) {
                    Ok(Some(made)) => Made::Once(made),
                    Ok(None) => continue,
                    Err(source) => {
                        let name = part.key.name;
                        failed.push(Problem::Failed { name, source });
                        continue;
                    }
                },
            };
            container.made.insert(part.key.id, made);
        }
        match failed.is_empty() {
            true => Ok(container),
            false => Err(ContainerError::new(failed)),
        }
    }
}

impl fmt::Debug for ContainerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parts.iter().map(|part| part.key.name);
        f.debug_list().entries(names).finish()
    }
}
