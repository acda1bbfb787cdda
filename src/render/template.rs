//! The embedded templates, compiled once. Values are quoted by filters, one per grammar: `conf` (postgresql.conf),
//! `pool` (pgpool.conf), `repmgr` (repmgr.conf), `comment`. What has no filter is a number, or was quoted in Rust.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::Context as _;
use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, TeraResult};

use super::quote;

const TEMPLATES: [(&str, &str); 7] = [
    ("postgresql.conf", include_str!("../../templates/postgresql.conf.tera")),
    ("pg_hba.conf", include_str!("../../templates/pg_hba.conf.tera")),
    ("pg_ident.conf", include_str!("../../templates/pg_ident.conf.tera")),
    ("repmgr.conf", include_str!("../../templates/repmgr.conf.tera")),
    ("pgpool.conf", include_str!("../../templates/pgpool.conf.tera")),
    ("pool_hba.conf", include_str!("../../templates/pool_hba.conf.tera")),
    ("known_users", include_str!("../../templates/known_users.tera")),
];

static TERA: LazyLock<Tera> = LazyLock::new(|| {
    let mut tera = Tera::new();
    tera.register_filter("conf", |value: &str, _: Kwargs, _: &State| quoted(quote::postgresql_conf(value)));
    tera.register_filter("pool", |value: &str, _: Kwargs, _: &State| quoted(quote::pgpool_conf(value)));
    tera.register_filter("repmgr", |value: &str, _: Kwargs, _: &State| quoted(quote::repmgr_conf(value)));
    tera.register_filter("comment", |value: &str, _: Kwargs, _: &State| comment(value));
    tera.add_raw_templates(TEMPLATES).expect("embedded templates parse: every test renders them");
    tera
});

/// The text of one template. tera refuses unknown names, but prints `None` as nothing: no `Option` in contexts.
pub fn render<C: Serialize>(name: &str, context: &C) -> anyhow::Result<String> {
    let context = Context::from_serialize(context).with_context(|| format!("prepare {name}"))?;
    TERA.render(name, &context).map_err(|error| anyhow::anyhow!("render {name}: {error}"))
}

fn quoted(value: Result<String, quote::Unquotable>) -> TeraResult<String> {
    value.map_err(|error| tera::Error::message(error.to_string()))
}

/// A comment ends at the line's end, so nothing in it may end the line.
fn comment(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A line of the operator's band: the value is already quoted; the note may be empty.
#[derive(Serialize)]
pub struct SettingLine {
    pub name: String,
    pub value: String,
    pub note: String,
}

/// A path as text: configuration files cannot hold anything but UTF-8.
pub fn text(path: &Path) -> anyhow::Result<String> {
    path.to_str().map(str::to_owned).with_context(|| format!("path {} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::TEMPLATES;

    /// Numbers, fixed words of ours, and lines that Rust has quoted already; everything else needs a filter.
    const READY: [&str; 5] = ["rule", "role", "reject", "file.text", "setting.value"];

    #[test]
    fn every_text_passes_a_quoting_function() {
        for (template, source) in TEMPLATES {
            for expression in source.split("{{ ").skip(1).filter_map(|rest| rest.split(" }}").next()) {
                let name = expression.split(" | ").next().unwrap_or(expression);
                let number = ["port", "number", "id", "priority", "weight", "children", "pool", "_s", "attempts", "version"]
                    .iter()
                    .any(|end| name.ends_with(end));
                let word = name.starts_with("max_") || name.ends_with("_key") || name.ends_with("setting.name");
                let fixed = ["load_balance", "failover_mode", "networks_variable"].contains(&name);
                assert!(
                    expression.contains(" | ") || READY.contains(&name) || number || word || fixed,
                    "{template}: {{{{ {expression} }}}} is not quoted"
                );
            }
        }
    }
}
