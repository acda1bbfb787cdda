//! Whole generated files, to be read as text. `INSTA_UPDATE=always cargo test --test render` rewrites them.
//!
//! The first case of each container is kept whole; of the others only the lines that differ from it.

mod build;
mod facts;
mod pgpool;
mod postgres;

use pgcluster::render::{RenderedFile, paths};

/// The golden file `<case>_<file name>`.
fn golden(case: &str, body: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, body));
}

fn goldens(case: &str, files: &[RenderedFile]) {
    for file in files {
        let name = file.path.file_name().and_then(|name| name.to_str()).expect("rendered files have names");
        golden(&format!("{case}_{name}"), &format!("{} {:04o}\n\n{}", file.path.display(), file.mode, file.body));
    }
}

/// The body of the file with this name.
fn body<'a>(files: &'a [RenderedFile], name: &str) -> &'a str {
    &files.iter().find(|file| file.path.ends_with(name)).unwrap_or_else(|| panic!("no file {name}")).body
}

/// Lines of `base` that `other` lacks (-) and the other way round (+), in the order of the files.
fn difference(base: &[RenderedFile], other: &[RenderedFile]) -> String {
    let mut text = String::new();
    for file in other {
        let before: Vec<&str> = base.iter().find(|b| b.path == file.path).map_or("", |b| &b.body).lines().collect();
        let after: Vec<&str> = file.body.lines().collect();
        let lines: Vec<String> = lacking(&before, &after, '-').chain(lacking(&after, &before, '+')).collect();
        if !lines.is_empty() {
            text.push_str(&format!("{}\n{}\n\n", file.path.display(), lines.join("\n")));
        }
    }
    text
}

fn lacking<'a>(these: &'a [&str], those: &'a [&str], sign: char) -> impl Iterator<Item = String> + 'a {
    these.iter().filter(|line| !those.contains(line)).map(move |line| format!("{sign} {line}"))
}

/// Templates name other files in clear text; `paths` is what the shell writes and the images point to.
#[test]
fn templates_and_code_agree_on_paths() {
    let postgres = pgcluster::render::postgres_files(&build::postgres(3, 1), &facts::postgres_facts()).expect("renders");
    let conf = body(&postgres, "postgresql.conf");
    for path in [paths::PG_HBA_CONF, paths::PG_IDENT_CONF] {
        assert!(conf.contains(&format!(" = '{path}'\n")), "{path}");
    }
    let pgpool = pgcluster::render::pgpool_files(&build::pgpool(3), &facts::pgpool_facts((4, 6), 3)).expect("renders");
    let conf = body(&pgpool, "pgpool.conf");
    assert!(conf.contains(&format!("pool_passwd = '{}'\n", paths::POOL_PASSWD)));
    let status = std::path::Path::new(paths::PGPOOL_STATUS).parent().expect("absolute");
    assert!(conf.contains(&format!("logdir = '{}'\n", status.display())));
}
