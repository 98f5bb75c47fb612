<?php echo "php ", getenv("APP_ENV");
