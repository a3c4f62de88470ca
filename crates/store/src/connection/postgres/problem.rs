//! Why a server cannot be connected to, and the remedy.

use std::io;

use rustls::{AlertDescription, CertificateError};
use sqlx::postgres::PgDatabaseError;

/// Why a server cannot be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectProblem {
    /// Nothing answers there.
    Unreachable,
    /// The server answers and takes no connections for now.
    NotReady,
    /// The server has no TLS.
    NoTls,
    /// The certificate of the server is not issued by an authority that is trusted.
    UnknownAuthority,
    /// The certificate of the server is for another host name.
    HostName,
    /// The certificate of the server is not valid now.
    Expired,
    /// A certificate or key of the URL is missing, cannot be read, or is none.
    CertificateFile,
    /// The server wants a certificate, or another one.
    ClientCertificate,
    /// The server does not accept this user from here.
    NotAdmitted,
    /// User or password are wrong.
    Password,
    /// There is no such user.
    Role,
    /// There is no such database.
    Database,
    /// The server has as many connections as it takes.
    TooManyConnections,
    /// Anything else.
    Other,
}

impl ConnectProblem {
    /// What to do about it, as a sentence without full stop.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "see that the server runs and that host and port are right",
            Self::NotReady => "the server is starting, stopping or a standby: wait, or name another one",
            Self::NoTls => "turn TLS on at the server (ssl = on), or connect without it by sslmode=disable",
            Self::UnknownAuthority => "name the certificate of the server's authority by sslrootcert=FILE",
            Self::HostName => {
                "connect by a name that is in the server's certificate, or check its authority alone by sslmode=verify-ca"
            }
            Self::Expired => "renew the server's certificate, and see that the clocks are right",
            Self::CertificateFile => {
                "see that the files of sslrootcert, sslcert and sslkey exist, can be read by this user and are PEM"
            }
            Self::ClientCertificate => {
                "name a certificate that the server accepts, and its key, by sslcert=FILE and sslkey=FILE"
            }
            Self::NotAdmitted => {
                "see that pg_hba.conf of the server accepts this user, database and address, with or without TLS as sslmode says; \
                 a server on this machine is reached over TLS by sslmode=require"
            }
            Self::Password => "see that user and password are right",
            Self::Role => "create the user at the server, or name another one",
            Self::Database => "create the database at the server, or name another one",
            Self::TooManyConnections => {
                "raise max_connections of the server, or lower --database-readers; each replica of a service takes that many \
                 and two more"
            }
            Self::Other => "see the log of the server",
        }
    }

    /// Sorts what the driver reports. `local` is whether the server is a socket in the file system.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of many errors that may grow, these have a remedy")]
    pub(crate) fn of(error: &sqlx::Error, local: bool) -> Self {
        match error {
            sqlx::Error::Database(error) => error.try_downcast_ref().map_or(Self::Other, of_server),
            sqlx::Error::Io(error) => of_io(error, local),
            sqlx::Error::Tls(error) => match error.downcast_ref() {
                Some(error) => of_tls(error),
                None if error.to_string() == NO_TLS => Self::NoTls,
                None => Self::CertificateFile,
            },
            sqlx::Error::Configuration(_) => Self::CertificateFile,
            sqlx::Error::PoolTimedOut => Self::Unreachable,
            _ => Self::Other,
        }
    }
}

/// The driver's message when the server refuses TLS, for which it has no error type.
const NO_TLS: &str = "server does not support TLS";

/// A server's message that it requires a certificate, which has no error code. In another language it is `NotAdmitted`.
const NO_CERTIFICATE: &str = "connection requires a valid client certificate";

/// The server's own refusals.
fn of_server(error: &PgDatabaseError) -> ConnectProblem {
    match error.code() {
        "28P01" => ConnectProblem::Password,
        "28000" if error.routine() == Some("InitializeSessionUserId") => ConnectProblem::Role,
        "28000" if error.message() == NO_CERTIFICATE => ConnectProblem::ClientCertificate,
        "28000" => ConnectProblem::NotAdmitted,
        "3D000" => ConnectProblem::Database,
        "53300" => ConnectProblem::TooManyConnections,
        "57P03" | "25006" => ConnectProblem::NotReady,
        _ => ConnectProblem::Other,
    }
}

fn of_io(error: &io::Error, local: bool) -> ConnectProblem {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return of_tls(error);
    }
    let of_a_file =
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory);
    if of_a_file && !local { ConnectProblem::CertificateFile } else { ConnectProblem::Unreachable }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of many errors that may grow, these have a remedy")]
fn of_tls(error: &rustls::Error) -> ConnectProblem {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => ConnectProblem::HostName,
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => ConnectProblem::Expired,
        rustls::Error::InvalidCertificate(_) => ConnectProblem::UnknownAuthority,
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => ConnectProblem::ClientCertificate,
        _ => ConnectProblem::Other,
    }
}
