# The original tool's requirements at their current versions, as pip installs them.
# In its favour: no cache is kept, and it has no runtime client and no emulator, which ours has.
ARG BASE
FROM ${BASE}
RUN pip install --quiet --no-cache-dir pandas scikit-learn scipy numpy boto3
