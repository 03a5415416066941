//! The TLS listener: a self-signed certificate, HTTP/1.1 and nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::cluster::Cluster;

/// What the server proves itself with.
pub(crate) struct Certificate {
    chain: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// A fresh self-signed one for these names and addresses.
    pub(crate) fn new(names: Vec<String>) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Ok(Self {
            chain: made.cert.der().clone(),
            key: PrivateKeyDer::Pkcs8(key),
        })
    }

    /// SHA-256 in Proxmox's form: upper case, colons.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&self.chain);
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    fn acceptor(self) -> io::Result<TlsAcceptor> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![self.chain], self.key)
            .map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Listens and serves until the cluster is shut down; returns once the port is open.
pub(crate) async fn start(
    cluster: &Cluster,
    listen: SocketAddr,
    certificate: Certificate,
) -> io::Result<SocketAddr> {
    let acceptor = certificate.acceptor()?;
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let router = crate::control::router()
        .fallback(super::handle)
        .with_state(cluster.clone());
    let accepting = accept(cluster.clone(), listener, acceptor, router);
    cluster.tracker().spawn(accepting);
    Ok(address)
}

async fn accept(cluster: Cluster, listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    loop {
        let accepted = tokio::select! {
            () = cluster.shutdown_token().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors or a peer that is gone already: neither ends the listener.
            tokio::task::yield_now().await;
            continue;
        };
        let (acceptor, router) = (acceptor.clone(), router.clone());
        let shutdown = cluster.shutdown_token().clone();
        cluster.tracker().spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                outcome = serve(stream, acceptor, router) => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "connection ended");
                    }
                }
            }
        });
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, router: Router) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    http1::Builder::new()
        .timer(TokioTimer::new())
        .max_headers(64)
        .max_buf_size(8192)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await
        .map_err(io::Error::other)
}
