//! The certificates that are in use: this container's own, and those that a server shows.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::{Certificate, InUse};
use crate::render::paths::{TLS_CA, TLS_CERT};

/// What this container presents to others, as its last start wrote it.
pub fn own() -> Option<InUse> {
    in_use(&fs::read_to_string(TLS_CERT).ok()?).into_iter().next()
}

/// Whom libpq and the servers of this container take for an authority.
pub fn authorities() -> Vec<InUse> {
    in_use(&fs::read_to_string(TLS_CA).unwrap_or_default())
}

/// Every certificate of a PEM text, in its order.
pub fn in_use(pem: &str) -> Vec<InUse> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let lasting = |certificate: Certificate| InUse { left_s: certificate.ends_s - now_s, certificate };
    Certificate::all_from_pem(pem).into_iter().map(lasting).collect()
}
