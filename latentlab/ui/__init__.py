"""Windows, pages, views and widgets. Never imports torch or cv2."""
