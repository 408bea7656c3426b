# The image of emrguard: the static binary and nothing else. make builds the
# binary first, so that the image needs no base image and no compiler.
#
#   docker build .                                    bin/linux_<arch>/emrguard, for every platform that is asked for
#   docker build --build-arg BINARY=bin/emrguard .    the binary of this machine; also for builders that set no TARGETARCH
FROM scratch

ARG TARGETARCH
ARG BINARY=bin/linux_${TARGETARCH}/emrguard
ARG VERSION=0.1.0
ARG REVISION=unknown

LABEL org.opencontainers.image.title="emrguard" \
      org.opencontainers.image.description="Admission control for Amazon EMR on EKS" \
      org.opencontainers.image.source="https://github.com/emrguard/emrguard" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY ${BINARY} /emrguard

# By number: kubelet's runAsNonRoot cannot judge a name, and there is no
# /etc/passwd here.
USER 65532:65532
EXPOSE 8080 8081 9443
ENTRYPOINT ["/emrguard"]
