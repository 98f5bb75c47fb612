<?php echo "php at ", getenv("DB_HOST"), "\n";
