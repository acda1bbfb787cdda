//! Size of the binary in the image.

use crate::docker::try_docker;
use crate::figure::{Bar, Figure, Samples};
use crate::setup::Setup;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let image = setup.postgres_image();
    let args = ["run", "--rm", "--network=none", "--entrypoint", "stat", &image, "--format=%s", "/usr/local/bin/pgcluster"];
    let bytes: f64 = try_docker(&args).map_err(anyhow::Error::msg)?.parse()?;
    let samples = Samples { ours: vec![bytes / 1e6], peer: vec![] };
    Ok(vec![Figure { what: "size of the binary".into(), unit: "MB", samples, bar: Bar::AtMost(10.0) }])
}
