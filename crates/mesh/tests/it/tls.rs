use std::{fs, path::PathBuf, time::Duration};

use mesh::{
    Channel, Config, Peer,
    tls::{Client, Files},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;

use crate::probe::{Probe, Served, ask, serve, server};

/// More than any of these tests may take: reaching it is the failure.
const HANGS: Duration = Duration::from_secs(300);

/// Refusals are counted for the whole process: who changes files does it alone.
static CHANGES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// An authority, and the files it writes.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, directory: tempfile::tempdir().unwrap() };
        fs::write(authority.path("ca"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a certificate for these names, and answers its files.
    fn issue(&self, file: &str, names: Vec<SanType>) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        let key = KeyPair::generate().unwrap();
        let (cert_path, key_path) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        fs::write(&key_path, key.serialize_pem()).unwrap();
        fs::write(&cert_path, params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        (cert_path, key_path)
    }

    /// The files of a member with this name, reachable at the loopback address.
    fn member(&self, name: &str) -> Files {
        let names = vec![dns(name), SanType::IpAddress("127.0.0.1".parse().unwrap())];
        let (cert, key) = self.issue(name, names);
        let ca = Some(self.path("ca"));
        Files { cert: Some(cert), key: Some(key), client_ca: ca.clone(), ca, poll: Duration::from_millis(10) }
    }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

async fn serve_tls(files: &Files) -> Served {
    serve(server(&Config { tls: files.clone(), ..Config::default() }, Probe::default())).await
}

/// The way of a caller with these files.
fn way(served: &Served, files: &Files) -> Channel {
    let client = Client::load(files).unwrap();
    Channel::connect_over(&format!("https://{}", served.address), client.as_ref()).unwrap()
}

async fn peer(channel: &Channel) -> Result<String, tonic::Status> {
    Ok(ask(channel, "peer").await?.into_inner().principal)
}

#[tokio::test]
async fn members_know_each_other_by_their_certificates() {
    let authority = Authority::new();
    let served = serve_tls(&authority.member("inventory")).await;
    let seen = peer(&way(&served, &authority.member("order"))).await.unwrap();
    assert_eq!(seen, format!("{:?}", Peer::Member("order".to_owned())));

    let spiffe = SanType::URI("spiffe://mesh/returns".try_into().unwrap());
    let (cert, key) = authority.issue("returns", vec![spiffe]);
    let files = Files { cert: Some(cert), key: Some(key), ..authority.member("order") };
    let seen = peer(&way(&served, &files)).await.unwrap();
    assert_eq!(seen, format!("{:?}", Peer::Member("spiffe://mesh/returns".to_owned())));
}

#[tokio::test]
async fn a_caller_without_the_right_certificate_is_not_let_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = authority.member("inventory");
    let served = serve_tls(&files).await;
    let none = Files { cert: None, key: None, ..authority.member("order") };
    let foreign = Files { ca: files.ca.clone(), ..other.member("order") };
    for files in [none, foreign] {
        let status = peer(&way(&served, &files)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
    let plain = Channel::connect(&format!("http://{}", served.address)).unwrap();
    peer(&plain).await.unwrap_err();
}

#[tokio::test]
async fn where_credentials_are_checked_a_caller_without_a_certificate_is_a_stranger_and_a_foreign_one_is_not_let_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = authority.member("inventory");
    let config = mesh::credentials::Config::default();
    let authenticator = mesh::credentials::Authenticator::new(&config, crate::provider::no_keys()).unwrap();
    let server = server(&Config { tls: files.clone(), ..Config::default() }, Probe::default());
    let served = serve(server.with_authenticator(std::sync::Arc::new(authenticator))).await;
    let channel = |files: &Files| way(&served, files).for_service("order");

    let none = Files { cert: None, key: None, ..authority.member("order") };
    assert_eq!(ask(&channel(&none), "echo").await.unwrap_err().code(), Code::Unauthenticated);
    let foreign = Files { ca: files.ca.clone(), ..other.member("order") };
    assert_eq!(ask(&channel(&foreign), "echo").await.unwrap_err().code(), Code::Unavailable);
    let member = ask(&channel(&authority.member("order")), "echo").await.unwrap();
    assert_eq!(member.into_inner().principal, "service:order");
}

#[tokio::test]
async fn a_member_of_another_authority_is_not_called() {
    let (authority, other) = (Authority::new(), Authority::new());
    let served = serve_tls(&Files { client_ca: None, ..other.member("inventory") }).await;
    let status = peer(&way(&served, &authority.member("order"))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(Channel::connect_over(&format!("https://{}", served.address), None).is_err(), "nobody is trusted blindly");
}

#[tokio::test]
async fn without_a_callers_authority_anybody_may_call_under_tls() {
    let authority = Authority::new();
    let served = serve_tls(&Files { client_ca: None, ..authority.member("inventory") }).await;
    let caller = Files { cert: None, key: None, ..authority.member("order") };
    assert!(peer(&way(&served, &caller)).await.unwrap().starts_with("Address("));
}

#[tokio::test]
async fn who_calls_in_the_process_and_in_the_clear_is_told_too() {
    let served = serve(server(&Config::default(), Probe::default())).await;
    assert!(peer(&served.channel).await.unwrap().starts_with("Address(127.0.0.1:"));
    let inside = server(&Config::default(), Probe::default()).into_channel().unwrap();
    assert_eq!(peer(&inside).await.unwrap(), format!("{:?}", Peer::Process));
}

/// Asks over new connections until the answer is this one.
async fn until(served: &Served, files: &Files, accepted: impl Fn(Result<String, tonic::Status>) -> bool) {
    let asking = async {
        while !accepted(peer(&way(served, files)).await) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HANGS, asking).await.expect("the new certificates are not used");
}

#[tokio::test]
async fn changed_certificates_are_used_without_a_restart() {
    let _alone = CHANGES.lock().await;
    let (authority, next) = (Authority::new(), Authority::new());
    let (files, caller) = (authority.member("inventory"), authority.member("order"));
    let served = serve_tls(&files).await;
    let long_lived = way(&served, &caller);
    peer(&long_lived).await.unwrap();

    // Another authority takes over: what the server shows and whom it lets in change together.
    let new_caller = next.member("order");
    let new = next.member("inventory");
    for (from, to) in [(&new.key, &files.key), (&new.cert, &files.cert), (&new.client_ca, &files.client_ca)] {
        fs::copy(from.as_ref().unwrap(), to.as_ref().unwrap()).unwrap();
    }
    until(&served, &new_caller, |outcome| outcome.is_ok()).await;
    peer(&long_lived).await.expect("connections that stand are not touched");
}

#[tokio::test]
async fn a_caller_shows_and_trusts_what_its_files_say_now() {
    let _alone = CHANGES.lock().await;
    let authority = Authority::new();
    let caller = authority.member("order");
    let served = serve_tls(&authority.member("inventory")).await;
    let client = Client::load(&caller).unwrap();
    let url = format!("https://{}", served.address);
    let fresh = || Channel::connect_over(&url, client.as_ref()).unwrap();
    assert_eq!(peer(&fresh()).await.unwrap(), format!("{:?}", Peer::Member("order".to_owned())));
    let renamed = authority.member("order-2");
    fs::copy(renamed.key.unwrap(), caller.key.as_ref().unwrap()).unwrap();
    fs::copy(renamed.cert.unwrap(), caller.cert.as_ref().unwrap()).unwrap();
    let seen = async { while peer(&fresh()).await.unwrap() != r#"Member("order-2")"# {} };
    tokio::time::timeout(HANGS, seen).await.expect("the new certificate is not shown");
}

#[tokio::test]
async fn files_that_can_not_be_used_leave_the_last_that_could() {
    let _alone = CHANGES.lock().await;
    let (authority, next) = (Authority::new(), Authority::new());
    let (files, caller) = (authority.member("inventory"), authority.member("order"));
    let served = serve_tls(&files).await;
    peer(&way(&served, &caller)).await.unwrap();
    // A key that is not the certificate's, then no certificate at all, then no file.
    fs::copy(next.member("inventory").key.unwrap(), files.key.as_ref().unwrap()).unwrap();
    refused_while_calls_go_on(&served, &caller).await;
    fs::write(files.cert.as_ref().unwrap(), "nonsense").unwrap();
    refused_while_calls_go_on(&served, &caller).await;
    fs::remove_file(files.cert.as_ref().unwrap()).unwrap();
    refused_while_calls_go_on(&served, &caller).await;
    // And what is good again is taken.
    let renewed = next.member("inventory");
    fs::copy(renewed.key.unwrap(), files.key.as_ref().unwrap()).unwrap();
    fs::copy(renewed.client_ca.unwrap(), files.client_ca.as_ref().unwrap()).unwrap();
    fs::copy(renewed.cert.unwrap(), files.cert.as_ref().unwrap()).unwrap();
    until(&served, &next.member("order"), |outcome| outcome.is_ok()).await;
}

/// Calls until the files were looked at and refused.
async fn refused_while_calls_go_on(served: &Served, caller: &Files) {
    mesh::install_process_defaults();
    let refusals = || metric("tls_certificates_refused_total").unwrap_or_default();
    let before = refusals();
    let calls = async {
        while refusals() <= before {
            peer(&way(served, caller)).await.unwrap();
        }
        peer(&way(served, caller)).await.unwrap();
    };
    tokio::time::timeout(HANGS, calls).await.expect("the files are not looked at");
}

/// The newest value of a metric.
fn metric(name: &str) -> Option<f64> {
    let text = mesh::metrics::render();
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn a_listener_whose_files_can_not_be_used_does_not_start() {
    let authority = Authority::new();
    let mut files = authority.member("inventory");
    files.key = authority.member("order").key;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server(&Config { tls: files, ..Config::default() }, Probe::default());
    let error = server.serve(listener, mesh::Stop::new()).await.unwrap_err();
    assert!(matches!(error, mesh::ServerError::Tls(_)) && error.to_string().contains("KeyMismatch"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_does_not_hold_the_server() {
    let authority = Authority::new();
    let files = authority.member("inventory");
    let config = Config { tls: files.clone(), drain_timeout: Duration::from_secs(600), ..Config::default() };
    let served = serve(server(&config, Probe::default())).await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    peer(&way(&served, &authority.member("order"))).await.unwrap();
    served.stop.request();
    tokio::time::timeout(HANGS, served.task).await.expect("the server hangs").unwrap().unwrap();
    drop(silent);
}

#[tokio::test]
async fn the_end_of_a_certificate_is_measured() {
    let authority = Authority::new();
    // On a day no other certificate ends.
    let mut params = CertificateParams::new(vec!["inventory".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2091, 7, 9);
    let key = KeyPair::generate().unwrap();
    let files = authority.member("inventory");
    fs::write(files.key.as_ref().unwrap(), key.serialize_pem()).unwrap();
    fs::write(files.cert.as_ref().unwrap(), params.signed_by(&key, &authority.issuer).unwrap().pem()).unwrap();
    let measured = async {
        // The newest is reported, and another test may have loaded another since.
        while metric(r#"tls_certificate_expiry_timestamp_seconds{shown_by="server"}"#) != Some(3_834_777_600.0) {
            let served = serve_tls(&files).await;
            TcpStream::connect(served.address).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(HANGS, measured).await.expect("it is not measured");
}
