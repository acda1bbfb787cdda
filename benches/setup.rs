//! Which image is measured, and how often.

use anyhow::Context;

pub struct Setup {
    /// Of `pgcluster/postgres` (and pgpool, for what goes through it).
    pub tag: String,
    pub runs: usize,
}

impl Setup {
    pub fn read() -> anyhow::Result<Setup> {
        let runs = std::env::var("PGCLUSTER_BENCH_RUNS").map_or(Ok(7), |text| text.parse());
        Ok(Setup {
            tag: std::env::var("PGCLUSTER_BENCH_TAG").unwrap_or_else(|_| "latest".into()),
            runs: runs.context("read PGCLUSTER_BENCH_RUNS")?,
        })
    }

    pub fn postgres_image(&self) -> String {
        format!("pgcluster/postgres:{}", self.tag)
    }
}

/// Whether this word is in the variable; all are when it is not set.
pub fn is_chosen(variable: &str, word: &str) -> bool {
    std::env::var(variable).map_or(true, |text| text.split_whitespace().any(|chosen| chosen == word))
}
