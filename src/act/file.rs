//! Configuration files on disk: all of them or none, whole or not at all, and never readable wider than asked, not for an instant.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::render::RenderedFile;

/// What must survive a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: rebuilt at each start.
    Rebuilt,
    /// File and directory entry are on disk when we return: files in the data volume.
    Synced,
}

/// Writes the files; nothing is replaced unless every one of them could be written beside its target. Returns the paths that changed;
/// a file with the same content and mode is left alone. Missing directories are made, readable by us alone.
pub fn write_all(files: &[RenderedFile], durability: Durability) -> Result<Vec<PathBuf>> {
    let mut staged = Vec::new();
    for file in files.iter().filter(|file| !is_identical(file)) {
        staged.push(Staged::write(file, durability).with_context(|| format!("write {}", file.path.display()))?);
    }
    let mut changed = Vec::new();
    for each in staged {
        changed.push(each.put_in_place()?);
    }
    if durability == Durability::Synced {
        for path in &changed {
            sync_directory(parent_of(path))?;
        }
    }
    Ok(changed)
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|dir| dir.sync_all()).with_context(|| format!("sync {}", directory.display()))
}

/// The directory that holds the entry `path`.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// A file beside its target; removed again unless it was put in place.
struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    in_place: bool,
}

impl Staged {
    fn write(file: &RenderedFile, durability: Durability) -> Result<Self> {
        let directory = parent_of(&file.path);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).context("make its directory")?;
        let name = file.path.file_name().context("a file name is missing")?.to_string_lossy();
        let temporary = directory.join(format!(".{name}.pgcluster.tmp"));
        // Left by a run that was killed. Creating with O_EXCL afterwards also never follows a symlink somebody put there.
        if let Err(err) = fs::remove_file(&temporary)
            && err.kind() != ErrorKind::NotFound
        {
            return Err(err).context("remove the leftover of an earlier run");
        }
        let mut out = OpenOptions::new().write(true).create_new(true).mode(file.mode).open(&temporary)?;
        let staged = Self { temporary, target: file.path.clone(), in_place: false };
        // The umask can only have narrowed the mode; say it again to get exactly it.
        out.set_permissions(Permissions::from_mode(file.mode))?;
        out.write_all(file.body.as_bytes())?;
        if durability == Durability::Synced {
            out.sync_all()?;
        }
        Ok(staged)
    }

    fn put_in_place(mut self) -> Result<PathBuf> {
        fs::rename(&self.temporary, &self.target).with_context(|| {
            format!(
                "replace {} (a single file mounted into the container cannot be replaced: mount its directory)",
                self.target.display()
            )
        })?;
        self.in_place = true;
        Ok(self.target.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.in_place {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn is_identical(file: &RenderedFile) -> bool {
    fs::symlink_metadata(&file.path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o7777 == file.mode)
        && fs::read(&file.path).is_ok_and(|body| body == file.body.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::{TempDir, tempdir};

    fn file(dir: &TempDir, name: &str, mode: u32, body: &str) -> RenderedFile {
        RenderedFile { path: dir.path().join(name), mode, body: body.into() }
    }

    fn names(dir: &TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn content_and_mode_are_exact_and_unchanged_files_are_left_alone() {
        let dir = tempdir().unwrap();
        let files = [file(&dir, "a", 0o666, "1\n"), file(&dir, "sub/b", 0o600, "2\n")];
        assert_eq!(write_all(&files, Durability::Synced).unwrap().len(), 2);
        assert_eq!(fs::metadata(&files[0].path).unwrap().permissions().mode() & 0o7777, 0o666);
        assert_eq!(fs::read_to_string(&files[1].path).unwrap(), "2\n");
        assert!(write_all(&files, Durability::Rebuilt).unwrap().is_empty());
        fs::set_permissions(&files[1].path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(write_all(&files, Durability::Rebuilt).unwrap(), [files[1].path.clone()]);
        assert_eq!(fs::metadata(&files[1].path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn one_impossible_file_leaves_all_others_as_they_were() {
        let dir = tempdir().unwrap();
        write_all(&[file(&dir, "a", 0o600, "old")], Durability::Rebuilt).unwrap();
        let files = [file(&dir, "a", 0o600, "new"), file(&dir, "a/below/a/file", 0o600, "x")];
        assert!(write_all(&files, Durability::Rebuilt).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "old");
        assert_eq!(names(&dir), ["a"]);
    }

    #[test]
    fn a_leftover_symlink_is_replaced_and_its_target_untouched() {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("victim"), "mine").unwrap();
        for link in [".a.pgcluster.tmp", "a"] {
            std::os::unix::fs::symlink(dir.path().join("victim"), dir.path().join(link)).unwrap();
        }
        write_all(&[file(&dir, "a", 0o600, "new")], Durability::Rebuilt).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(dir.path().join("a")).unwrap(), "new");
        assert_eq!(names(&dir), ["a", "victim"]);
    }
}
