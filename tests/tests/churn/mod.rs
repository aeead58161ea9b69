//! Peers that come and go, and what a server must not keep of them.

mod acts;
mod level;
mod servicer;

pub(crate) use acts::{Acts, Peers};
pub(crate) use level::Level;
pub(crate) use servicer::servicer;
