//! A container that sees the processes of the whole machine, and reads the arguments of all and the environments of ours (the kernel
//! shows them to the same user) five times a second: an entrypoint's children live only for a moment.

use crate::docker::files::Files;
use crate::docker::{Scope, docker, image, logs};
use crate::forms::Form;

pub struct Watcher {
    container: String,
    // Last fields, last dropped: the container goes first.
    _scope: Scope,
    _patterns: Files,
}

/// grep reads the passwords from a file: they are in no argument here.
const WATCH: &str = "while :; do \
    grep -aoFHf /patterns/list /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | sort -u; \
    sleep 0.2; done";

impl Watcher {
    pub fn start(forms: &[Form]) -> Watcher {
        let scope = Scope::new("watcher");
        let patterns = Files::new();
        patterns.write("list", forms.iter().map(|form| form.text.clone() + "\n").collect::<String>());
        let label = scope.label();
        let mount = patterns.at("/patterns");
        let run = ["run", "-d", "--init", "--name", &scope.name, "--label", &label, "--pid", "host", "--user", "50010"];
        let image = image("postgres");
        let more = ["--network", "none", "--no-healthcheck", "-v", &mount, "--entrypoint", "sh", &image, "-c", WATCH];
        docker(&[run.as_slice(), &more].concat());
        Watcher { container: scope.name.clone(), _scope: scope, _patterns: patterns }
    }

    /// `/proc/…/cmdline:text` or `/proc/…/environ:text`, one per line.
    pub fn seen(&self) -> String {
        logs(&self.container)
    }
}
