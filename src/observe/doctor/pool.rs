//! The pgpool of this container: what its files say, and whether it lets us in.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::model::PoolFacts;
use crate::observe::here::Here;
use crate::observe::pool::ask_version;
use crate::render::paths::{PGPOOL_CONF, POOL_HBA_CONF};

/// For a login through pgpool, which may first have to find a backend that answers.
const LOGIN: Duration = Duration::from_secs(3);

pub async fn examine(here: &Here) -> Option<PoolFacts> {
    let Here::Pgpool(spec) = here else { return None };
    let (version, login_error) = match tokio::time::timeout(LOGIN, ask_version(spec)).await {
        Ok(Ok(text)) => (version(&text), None),
        Ok(Err(error)) => (None, Some(format!("{:#}", anyhow::Error::new(error)))),
        Err(_) => (None, Some(format!("no answer in {} s", LOGIN.as_secs()))),
    };
    Some(PoolFacts {
        name: spec.name.clone(),
        version,
        settings: settings(&fs::read_to_string(PGPOOL_CONF).unwrap_or_default()),
        pools: spec.watchdog.as_ref().map_or(1, |watchdog| watchdog.members.len() as u32),
        login_error,
        trusting_lines: trusting(&fs::read_to_string(POOL_HBA_CONF).unwrap_or_default()),
    })
}

/// `4.6.1 (chirikoboshi)` → (4, 6, 1)
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split_whitespace().next()?.split('.').map(str::parse);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
        _ => None,
    }
}

/// `name = value` or `name = 'value' # comment`; the last line of a name wins. Secrets are left where they are.
fn settings(text: &str) -> BTreeMap<String, String> {
    let value = |text: &str| match text.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next().unwrap_or_default().to_owned(),
        None => text.split(['#', ' ', '\t']).next().unwrap_or_default().to_owned(),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let pairs = lines.map(|(name, text)| (name.trim().to_lowercase(), value(text.trim())));
    pairs.filter(|(name, _)| !name.contains("password") && !name.contains("authkey")).collect()
}

/// Lines that let a client from the network in without a password.
fn trusting(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines = text.lines().map(words).filter(|words| words.len() > 4 && words[0].starts_with("host"));
    let trusting = lines.filter(|words| words.iter().skip(4).any(|word| word == "trust") && !words[3].starts_with("127."));
    trusting.map(|words| words.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::{settings, trusting, version};

    #[test]
    fn the_last_line_of_a_setting_wins_and_passwords_stay_away() {
        let read = settings("# a = 1\nport = 9999\nsr_check_password = 'x'\nsr_check_period=0\nSR_check_period = '10' # mine\n");
        let pairs: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("port", "9999"), ("sr_check_period", "10")]);
    }

    #[test]
    fn a_line_that_trusts_the_network_is_seen() {
        let text =
            "local all all trust\nhost all all 127.0.0.1/32 trust\n# host all all all trust\nhostssl all u 10.0.0.0/8 trust\n";
        assert_eq!(trusting(text), ["hostssl all u 10.0.0.0/8 trust"]);
    }

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(version("4.6.1 (chirikoboshi)"), Some((4, 6, 1)));
        assert_eq!(version(""), None);
    }
}
