//! The reference of all commands as Markdown, made of the same source as `--help`.

use clap::{Arg, Command, CommandFactory};

use super::Cli;

/// One heading per command, in the order of `--help`.
pub fn markdown() -> String {
    let mut cli = Cli::command();
    cli.build();
    let visible = |command: &&mut Command| !command.is_hide_set();
    cli.get_subcommands_mut().filter(visible).map(section).collect()
}

fn section(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("### {}\n\n`{usage}`\n\n{}.\n\n", command.get_name(), about.trim_end_matches('.'));
    let rows: Vec<String> = command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_id() != "help").map(row).collect();
    if !rows.is_empty() {
        text.push_str("| argument | meaning |\n| --- | --- |\n");
        rows.iter().for_each(|row| text.push_str(row));
        text.push('\n');
    }
    if let Some(more) = command.get_after_help() {
        text.push_str(&format!("```text\n{}\n```\n\n", more.to_string().trim_end()));
    }
    text
}

fn row(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    let takes_value = arg.get_action().takes_values();
    let name = match (arg.get_long(), value) {
        (Some(long), Some(value)) if takes_value => format!("--{long} {value}"),
        (Some(long), _) => format!("--{long}"),
        (None, value) => value.unwrap_or(arg.get_id().as_str()).to_owned(),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    format!("| `{name}` | {help} |\n")
}
