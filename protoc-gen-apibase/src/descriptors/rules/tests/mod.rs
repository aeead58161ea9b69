//! The rules agree with the proto, and are read whichever compiler wrote the descriptors.

mod agreement;
mod reading;
