from fastapi import FastAPI

app = FastAPI()

# README: begin
import hmac, os
from fastapi import Depends, HTTPException, Request

def webhook_secret(request: Request):
    sent = request.headers.get("X-Webhook-Secret", "").encode()
    with open(os.environ["HOOK_SECRETS"], "rb") as f:
        accepted = f.read().split()  # one or two
    if not any([hmac.compare_digest(s, sent) for s in accepted]):
        raise HTTPException(401)

@app.post("/instantly", status_code=202, dependencies=[Depends(webhook_secret)])
async def instantly(request: Request):
    try:
        event_type = (await request.json())["event_type"]
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400)
    # and do the work after the answer, as one of BackgroundTasks
# README: end

if __name__ == "__main__":
    import socket, uvicorn

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])
