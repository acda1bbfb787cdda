//! postgresql.auto.conf: whatever stands there, changing one setting keeps all others, and PostgreSQL's reader finds what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::render::auto_conf::{read, with};
use pgcluster_fuzz::texts;

const NAME: &str = "primary_conninfo";

fuzz_target!(|input: &str| {
    let [value, text] = texts(input);
    let before = read(text);
    let others: Vec<_> = before.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(NAME)).cloned().collect();

    let same = with(text, &[]).expect("every file can be rewritten");
    assert_eq!(read(&same), before, "rewriting changes no setting");
    assert_eq!(with(&same, &[]).as_ref(), Ok(&same), "and the second time nothing at all");

    let without = with(text, &[(NAME, None)]).expect("every file can lose a setting");
    assert_eq!(read(&without), others);

    match with(text, &[(NAME, Some(value))]) {
        Ok(written) => {
            assert!(!written.contains('\0') && !value.contains('\n'));
            let expected: Vec<_> = others.into_iter().chain([(NAME.to_owned(), value.to_owned())]).collect();
            assert_eq!(read(&written), expected);
        }
        Err(_) => assert!(value.contains(['\0', '\n']), "neither a NUL nor a newline: {value:?}"),
    }
});
