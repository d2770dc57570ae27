//! The Unix socket to listen on, and the file that stands for it.
//!
//! A server that was killed leaves its file behind, and nobody can bind it again before it is removed. Whether a file is
//! such a leftover shows by connecting: a refusal means that nobody listens. Between that answer and the removal another
//! server could have taken the path, so both happen under a lock: an abstract socket, which the kernel drops with its
//! last descriptor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::{fs, path};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::listen::ListenError;

/// A Unix socket that listens; its file goes when it is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    socket: OwnedFd,
    path: PathBuf,
    /// Device and inode of the file, so that only our own is removed.
    file: (u64, u64),
    _lock: UnixDatagram,
}

impl UnixSocket {
    /// Listens on `path`. `permissions` of 0 leaves them to the umask.
    pub fn listen(path: &str, permissions: u32, backlog: i32) -> Result<Self, ListenError> {
        let path = path::absolute(path);
        let listening = path.as_ref().map_err(|error| io::Error::from(error.kind()));
        let listening = listening.and_then(|path| Self::bind(path, permissions, backlog));
        let name = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        listening.map_err(|cause| ListenError { address: name, cause })
    }

    fn bind(path: &Path, permissions: u32, backlog: i32) -> io::Result<Self> {
        let lock = lock(path)?;
        remove_leftover(path)?;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        if permissions != 0 {
            // Those of the socket bound those of the file from its first moment.
            rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(permissions))?;
        }
        rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
        if permissions != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(permissions))?;
        }
        let file = fs::symlink_metadata(path)?;
        let bound = Self { socket, path: path.to_owned(), file: (file.dev(), file.ino()), _lock: lock };
        rustix::net::listen(&bound.socket, backlog)?;
        Ok(bound)
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.file) {
            // Nothing can be done about a failure, and the next start removes a leftover.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn lock(path: &Path) -> io::Result<UnixDatagram> {
    let mut name = b"corewise/".to_vec();
    name.extend(crate::base::KeyHasher::new(0).hash(path.as_os_str().as_encoded_bytes()).to_ne_bytes());
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

/// Removes the file of a server that is gone; any other file is an error.
fn remove_leftover(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file exists and is no socket"))
        }
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            // It answers, or it is full: somebody is there. Anything else is not understood, so it is left alone.
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// A path of its own for each test, and nothing there.
    fn free_path(test: &str) -> String {
        let path = std::env::temp_dir().join(format!("corewise-{}-{test}.sock", std::process::id()));
        let _ = fs::remove_file(&path);
        path.into_os_string().into_string().unwrap()
    }

    #[test]
    fn it_listens_with_its_permissions_and_leaves_nothing() {
        let path = free_path("listens");
        let socket = UnixSocket::listen(&path, 0o770, 16).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o770);
        UnixStream::connect(&path).unwrap();
        drop(socket);
        assert!(!Path::new(&path).exists());
    }

    #[test]
    fn a_second_server_is_refused() {
        let path = free_path("second");
        let first = UnixSocket::listen(&path, 0, 16).unwrap();
        let error = UnixSocket::listen(&path, 0, 16).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {path}: address in use; stop the server that listens there, or choose another address"
            )
        );
        UnixStream::connect(&path).unwrap();
        drop(first);
        let stranger = UnixListener::bind(&path).unwrap();
        assert_eq!(UnixSocket::listen(&path, 0, 16).unwrap_err().cause().kind(), io::ErrorKind::AddrInUse);
        drop(stranger);
        assert!(UnixSocket::listen(&path, 0, 16).is_ok(), "the file of a server that is gone is replaced");
    }

    #[test]
    fn other_files_are_left_alone() {
        let path = free_path("file");
        fs::write(&path, "precious").unwrap();
        assert!(UnixSocket::listen(&path, 0, 16).unwrap_err().to_string().contains("is no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        let socket = UnixSocket::listen(&path, 0, 16).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "of somebody else").unwrap();
        drop(socket);
        assert!(Path::new(&path).exists(), "only its own file is removed");
        fs::remove_file(&path).unwrap();
    }
}
