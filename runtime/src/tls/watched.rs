//! [`Watched`]: something that is made of files, as it was when they were last good.

use super::Broken;

/// What is made of files.
pub(crate) trait Part {
    type Made;

    /// What the files have now.
    fn read(&self) -> Result<Contents, Broken>;
    /// What they make.
    fn make(&self, contents: &Contents) -> Result<Self::Made, Broken>;
}

/// What each of the files has.
pub(crate) type Contents = Vec<Vec<u8>>;

/// A part, as it was when its files were last good.
pub(crate) struct Watched<P: Part> {
    part: P,
    /// When they were last looked at.
    seen: Result<Contents, Broken>,
    made: P::Made,
}

/// What a look at the files shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// They are as they were.
    None,
    /// They changed, and are good.
    Renewed,
    /// They changed, and are broken.
    Broken(Broken),
}

impl<P: Part> Watched<P> {
    /// Reads them for the first time.
    pub(crate) fn load(part: P) -> Result<Self, Broken> {
        let contents = part.read()?;
        let made = part.make(&contents)?;
        Ok(Self {
            part,
            seen: Ok(contents),
            made,
        })
    }

    /// What they made when they were last good.
    pub(crate) fn made(&self) -> &P::Made {
        &self.made
    }

    /// Looks at them again. What can't be used is told once, and not at every look.
    pub(crate) fn look(&mut self) -> News {
        let found = self.part.read();
        if found == self.seen {
            return News::None;
        }
        let made = found
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|contents| self.part.make(contents));
        self.seen = found;
        match made {
            Ok(made) => {
                self.made = made;
                News::Renewed
            }
            Err(broken) => News::Broken(broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::tls::Pem;

    /// A file that is good if it is a number.
    #[derive(Clone, Default)]
    struct Number(Rc<RefCell<Option<&'static str>>>);

    fn broken(why: &str) -> Broken {
        Pem::memory("").broken("the number", why)
    }

    impl Part for Number {
        type Made = u8;

        fn read(&self) -> Result<Contents, Broken> {
            let text = self.0.borrow().ok_or_else(|| broken("it is not there"))?;
            Ok(vec![text.into()])
        }

        fn make(&self, contents: &Contents) -> Result<u8, Broken> {
            let text = std::str::from_utf8(&contents[0]).unwrap();
            text.parse().map_err(|_| broken("it is none"))
        }
    }

    #[test]
    fn what_is_broken_keeps_what_was_good_and_is_told_once() {
        let file = Number::default();
        let set = |text| *file.0.borrow_mut() = text;
        assert!(Watched::load(file.clone()).is_err());
        set(Some("1"));
        let mut watched = Watched::load(file.clone()).unwrap();
        assert_eq!(watched.look(), News::None);
        for (text, news, made) in [
            (Some("2"), News::Renewed, 2),
            (Some("x"), News::Broken(broken("it is none")), 2),
            (Some("x"), News::None, 2),
            (Some("y"), News::Broken(broken("it is none")), 2),
            (None, News::Broken(broken("it is not there")), 2),
            (None, News::None, 2),
            (Some("2"), News::Renewed, 2),
            (Some("2"), News::None, 2),
            (Some("3"), News::Renewed, 3),
        ] {
            set(text);
            assert_eq!(watched.look(), news, "{text:?}");
            assert_eq!(*watched.made(), made, "{text:?}");
        }
    }
}
