//! Files of this host that a container sees: a directory of their own, readable for uid 50010.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A directory that goes with the test.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Files {
        let dir = tempfile::tempdir().expect("make a directory for files");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("open the directory");
        Files(dir)
    }

    /// Writes a file, mode 0644, and returns its path.
    pub fn write(&self, name: &str, body: impl AsRef<[u8]>) -> PathBuf {
        self.write_with_mode(name, body, 0o644)
    }

    pub fn write_with_mode(&self, name: &str, body: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, body).expect("write a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set its mode");
        path
    }

    /// `-v` value that shows the whole directory, read-only, at this place.
    pub fn at(&self, target: &str) -> String {
        format!("{}:{target}:ro", self.0.path().display())
    }
}
