//! `google.type.LatLng`: a place on the earth.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::super::gather::all_of;
use super::super::{MapError, Unmappable, ViolationKind};

/// A place on the earth (WGS 84), as `google.type.LatLng` has it: its latitude is from −90 to 90
/// degrees, its longitude from −180 to 180.
///
/// ```
/// use apibase::LatLng;
///
/// let berlin = LatLng::new(52.52, 13.405).unwrap();
/// assert_eq!(berlin.to_string(), "52.52, 13.405");
/// assert!(LatLng::new(f64::NAN, 180.1).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatLng {
    // Neither is ever NaN or −0.0, which `Eq` and `Hash` rest on.
    latitude: f64,
    longitude: f64,
}

impl LatLng {
    /// A place. −0.0 is 0.0.
    ///
    /// # Errors
    ///
    /// When a coordinate is out of its range or NaN; at `latitude` and `longitude`.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, MapError> {
        let latitude_is_wrong = !(-90.0..=90.0).contains(&latitude);
        let longitude_is_wrong = !(-180.0..=180.0).contains(&longitude);
        if latitude_is_wrong || longitude_is_wrong {
            return Err(all_of([
                latitude_is_wrong.then(|| out_of_range("must be from -90 to 90").at("latitude")),
                longitude_is_wrong
                    .then(|| out_of_range("must be from -180 to 180").at("longitude")),
            ]));
        }
        Ok(Self {
            latitude: latitude + 0.0,
            longitude: longitude + 0.0,
        })
    }

    /// Degrees north of the equator, −90 to 90.
    #[must_use]
    pub const fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east of Greenwich, −180 to 180.
    #[must_use]
    pub const fn longitude(&self) -> f64 {
        self.longitude
    }
}

/// The place of a `google.type.LatLng`.
///
/// # Errors
///
/// As [`LatLng::new`].
#[inline]
pub fn lat_lng(latitude: f64, longitude: f64) -> Result<LatLng, MapError> {
    LatLng::new(latitude, longitude)
}

/// The latitude and longitude of a `google.type.LatLng`.
#[inline]
#[must_use]
pub const fn lat_lng_parts(place: &LatLng) -> (f64, f64) {
    (place.latitude, place.longitude)
}

impl Eq for LatLng {}

impl Hash for LatLng {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.latitude.to_bits().hash(state);
        self.longitude.to_bits().hash(state);
    }
}

impl fmt::Display for LatLng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.latitude, self.longitude)
    }
}

#[cold]
fn out_of_range(description: &'static str) -> MapError {
    MapError::new(ViolationKind::OutOfRange, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poles_and_the_date_line_are_places() {
        for (latitude, longitude) in [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0)] {
            let place = lat_lng(latitude, longitude).unwrap();
            assert_eq!((place.latitude(), place.longitude()), (latitude, longitude));
        }
    }

    #[test]
    fn a_wrong_coordinate_is_refused_with_its_path() {
        let infinity = f64::INFINITY;
        for latitude in [90.000_001, -90.000_001, f64::NAN, infinity, -infinity] {
            let error = lat_lng(latitude, 0.0).unwrap_err();
            assert_eq!(error.to_string(), "latitude must be from -90 to 90");
        }
        let error = lat_lng(f64::NAN, 180.000_001).unwrap_err();
        assert_eq!(
            error.to_string(),
            "latitude must be from -90 to 90; longitude must be from -180 to 180"
        );
    }

    #[test]
    fn minus_zero_is_zero() {
        let place = lat_lng(-0.0, -0.0).unwrap();
        assert!(place.latitude().is_sign_positive());
        assert!(place.longitude().is_sign_positive());
    }
}
