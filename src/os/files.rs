//! The configuration file on disk: read with a bound, replaced whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::limits::CONFIG_FILE_BYTES_MAX;

/// The text of the file at `path`, or a sentence.
pub fn read_text(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(CONFIG_FILE_BYTES_MAX + 1).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(format!("{path} is no text in UTF-8")),
        Err(error) => Err(format!("{path} cannot be read: {error}")),
        Ok(length) if length as u64 > CONFIG_FILE_BYTES_MAX => {
            Err(format!("{path} is longer than {CONFIG_FILE_BYTES_MAX} bytes: it is no configuration file"))
        }
        Ok(_) => Ok(text),
    }
}

/// Replaces the file at `path`: whoever reads it, also after a crash, finds the old text or the new one, never a part.
/// A link stays, and what it points to is replaced; permissions stay as they are.
pub fn replace_text(path: &str, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let replaced = write_new(&new, text, permissions).and_then(|()| fs::rename(&new, &path));
    match replaced {
        // The name itself is only durable with its directory.
        Ok(()) => File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all(),
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(error)
        }
    }
}

fn write_new(path: &Path, text: &str, permissions: fs::Permissions) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    // Before the text, which may hold a password.
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_replaced_file_keeps_its_link_and_permissions() {
        let directory = std::env::temp_dir().join(format!("corewise-files-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (file, link) = (directory.join("real.conf"), directory.join("link.conf"));
        let link_path = link.to_str().unwrap();
        fs::write(&file, "port 1\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace_text(link_path, "port 2\n").unwrap();
        assert_eq!(read_text(file.to_str().unwrap()).unwrap(), "port 2\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "nothing stays behind");
        fs::remove_dir_all(&directory).unwrap();
        assert!(replace_text(link_path, "").is_err());
        assert!(read_text(link_path).unwrap_err().contains("cannot be read"));
        assert!(read_text("/dev/zero").unwrap_err().contains("longer"));
    }
}
