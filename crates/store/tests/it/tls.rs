//! Connections to PostgreSQL over TLS, and why one fails.

use std::path::PathBuf;

use store::{ConnectProblem, Db, Error, Options};
use testkit::database::each;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::stock::{MIGRATIONS, clock, open};

/// The server's port and the directory of certificates; `None` without a server.
#[expect(clippy::disallowed_methods, reason = "tests have no command line")]
fn server() -> Option<(String, PathBuf)> {
    let url = std::env::var("TEST_POSTGRES_URL").ok()?;
    let port = url.split('/').nth(2).and_then(|authority| authority.rsplit(':').next()).expect("a port");
    let tls = std::env::var_os("TEST_POSTGRES_TLS").expect("TEST_POSTGRES_TLS, as of .ci/with-postgres");
    Some((port.to_owned(), tls.into()))
}

/// Puts the names of the certificates in a query: `<ca>` is the file `ca.crt`, `<client.key>` that key.
fn with_files(query: &str, tls: &std::path::Path) -> String {
    let path = |name: &str| tls.join(name).display().to_string();
    ["client", "other-client"]
        .iter()
        .fold(query.to_owned(), |query, name| query.replace(&format!("<{name}.key>"), &path(&format!("{name}.key"))))
        .replace("<ca>", &path("ca.crt"))
        .replace("<other-ca>", &path("other-ca.crt"))
        .replace("<client>", &path("client.crt"))
        .replace("<other-client>", &path("other-client.crt"))
}

#[tokio::test]
async fn every_mode_connects_and_only_disable_and_none_do_without_tls() {
    let Some((port, tls)) = server() else { return };
    let modes = [
        ("postgres", "127.0.0.1", "sslmode=disable", "false"),
        ("postgres", "127.0.0.1", "sslmode=prefer", "true"),
        ("postgres", "127.0.0.1", "", "false"),
        ("postgres", "localhost", "", "false"),
        ("postgres", "127.0.0.1", "sslmode=require", "true"),
        ("postgres", "127.0.0.1", "sslmode=require&sslrootcert=<ca>", "true"),
        ("postgres", "127.0.0.1", "sslmode=verify-ca&sslrootcert=<ca>", "true"),
        ("postgres", "localhost", "sslmode=verify-full&sslrootcert=<ca>", "true"),
        ("with_certificate", "localhost", "sslmode=require&sslcert=<client>&sslkey=<client.key>", "true"),
    ];
    for (user, host, query, expected) in modes {
        let (port, query) = (port.clone(), with_files(query, &tls));
        each(|options| {
            let (port, query) = (port.clone(), query.clone());
            async move {
                if options.url.starts_with("sqlite") {
                    return;
                }
                let name = options.url.rsplit('/').next().unwrap().split('?').next().unwrap();
                let db = open(&Options::new(format!("postgres://{user}@{host}:{port}/{name}?{query}"))).await;
                let sql = "SELECT CAST(ssl AS TEXT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
                let encrypted = db.rows(sql, Vec::new()).await.unwrap()[0].at::<String>(0);
                assert_eq!(encrypted, Ok(expected.to_owned()), "{query}");
                db.close().await;
            }
        })
        .await;
    }
}

async fn problem(url: &str) -> ConnectProblem {
    match Db::open(&Options::new(url), "stock", MIGRATIONS, clock()).await {
        Err(Error::Connect { problem, .. }) => problem,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn each_thing_that_stands_in_the_way_is_told_apart() {
    let Some((port, tls)) = server() else { return };
    std::fs::write(tls.join("broken.crt"), "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
    let broken = format!("sslmode=verify-ca&sslrootcert={}", tls.join("broken.crt").display());
    let directory = format!("sslmode=verify-ca&sslrootcert={}", tls.display());
    let other_client = "sslmode=require&sslcert=<other-client>&sslkey=<other-client.key>";
    let cases = [
        ("postgres@localhost", "postgres?sslmode=verify-full", ConnectProblem::UnknownAuthority),
        ("postgres@localhost", "postgres?sslmode=verify-ca&sslrootcert=<other-ca>", ConnectProblem::UnknownAuthority),
        ("postgres@localhost", "postgres?sslmode=require&sslrootcert=<other-ca>", ConnectProblem::UnknownAuthority),
        ("postgres@127.0.0.1", "postgres?sslmode=verify-full&sslrootcert=<ca>", ConnectProblem::HostName),
        ("postgres@localhost", "postgres?sslmode=verify-ca&sslrootcert=/not/there", ConnectProblem::CertificateFile),
        ("postgres@localhost", &format!("postgres?{directory}"), ConnectProblem::CertificateFile),
        ("postgres@localhost", &format!("postgres?{broken}"), ConnectProblem::CertificateFile),
        ("postgres@localhost", "postgres?sslcert=<client>", ConnectProblem::CertificateFile),
        ("postgres@localhost", "postgres?sslcert=<client>&sslkey=/not/there", ConnectProblem::CertificateFile),
        ("with_certificate@localhost", "postgres?sslmode=require", ConnectProblem::ClientCertificate),
        ("with_certificate@localhost", &format!("postgres?{other_client}"), ConnectProblem::ClientCertificate),
        ("with_certificate@localhost", "postgres?sslmode=disable", ConnectProblem::NotAdmitted),
        ("with_certificate@localhost", "postgres", ConnectProblem::NotAdmitted),
        ("with_password:wrong@localhost", "postgres", ConnectProblem::Password),
        ("with_password@localhost", "postgres", ConnectProblem::Password),
        ("nobody_known@localhost", "postgres", ConnectProblem::Role),
        ("postgres@localhost", "not_there", ConnectProblem::Database),
        ("without_connections@localhost", "postgres", ConnectProblem::TooManyConnections),
    ];
    for (authority, rest, expected) in cases {
        let url = with_files(&format!("postgres://{authority}:{port}/{rest}"), &tls);
        assert_eq!(problem(&url).await, expected, "{url}");
    }
}

#[tokio::test]
async fn a_server_without_tls_and_one_that_is_not_there_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://me@{}/db?sslmode=require", listener.local_addr().unwrap());
    let refusing = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The request for TLS, and how a server says that it has none.
        stream.read_exact(&mut [0; 8]).await.unwrap();
        stream.write_all(b"N").await.unwrap();
    };
    let (found, ()) = tokio::join!(problem(&url), refusing);
    assert_eq!(found, ConnectProblem::NoTls);
    drop(listener);
    assert_eq!(problem(&url).await, ConnectProblem::Unreachable);
    assert_eq!(problem("postgres://me@no-such-host.invalid/db").await, ConnectProblem::Unreachable);
}
