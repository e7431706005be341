"""What only a real account needs: who is asking, the image in its registry, going live in two phases, the page.

`target.py` names the place, `account.py` says who is at work, `faults.py` what AWS refused, `content.py`,
`images.py` and `registry.py` build and push the image, `rollout.py` puts all of it live; `hosting.py` and `uploads.py`
publish the page.
"""
